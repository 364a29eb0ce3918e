import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ManagerConfig } from '../../../config/manager-file.ts';
import { loadMasterConfig } from '../../../config/master-file.ts';
import { urlOnItsHost } from '../../../config/master-url.ts';
import { CodedError } from '../../../errors/coded-error.ts';
import { type ClientTls, loadClientTls } from '../../../rpc/tls.ts';
import { loadClientToken } from '../../../rpc/tokens.ts';
import { readExtProvers } from '../ext-provers.ts';

/** How the master of the manager with these files is reached; nothing is started. */
export async function findMaster(init: {
  readonly home: string;
  readonly confDir: string;
  readonly config: ManagerConfig;
}): Promise<{
  readonly masters: readonly string[];
  readonly token: string | undefined;
  readonly tls: ClientTls | undefined;
}> {
  const { database, master, tokenFile, tlsCa, tlsCert, tlsKey } = init.config.common.cluster;
  const token = await loadClientToken({ file: tokenFile, env: process.env }, 'submit');
  const tls = await loadClientTls({ ca: tlsCa, cert: tlsCert, key: tlsKey });
  if (database !== undefined && master !== undefined) return { masters: master, token, tls };
  const embedded = join(init.home, 'embedded_master.toml');
  const file = (await readExtProvers(init.confDir)).master?.file ?? (existsSync(embedded) ? embedded : undefined);
  if (file === undefined) {
    throw new CodedError(
      'no-master',
      `no master of a manager is known in ${init.home}: start the daemon once, or set [Common.Cluster] Database and Master`,
    );
  }
  const { server } = (await loadMasterConfig(file)).config;
  return { masters: [urlOnItsHost(server)], token, tls: tls ?? (await loadClientTls({ ca: server.tlsCert })) };
}
