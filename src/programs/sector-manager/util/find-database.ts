import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ManagerConfig } from '../../../config/manager-file.ts';
import { loadMasterConfig } from '../../../config/master-file.ts';
import { CodedError } from '../../../errors/coded-error.ts';
import { readExtProvers } from '../ext-provers.ts';

/**
 * The database of the manager with these files, as `findCluster` finds it; an embedded one only where it was started already. Until then
 * that of a master of another system counts: a set-up that is being moved names it.
 */
export async function findDatabase(init: {
  readonly home: string;
  readonly confDir: string;
  readonly config: ManagerConfig;
}): Promise<readonly string[]> {
  const { database } = init.config.common.cluster;
  if (database !== undefined) return database;
  const { master, masterFile } = await readExtProvers(init.confDir);
  const embedded = join(init.home, 'embedded_master.toml');
  const file = master?.file ?? (existsSync(embedded) ? embedded : masterFile);
  if (file === undefined) {
    throw new CodedError(
      'no-database',
      `no database of a manager is known in ${init.home}: start the daemon once, or set [Common.Cluster] Database`,
    );
  }
  return (await loadMasterConfig(file)).config.db.url;
}
