import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import type { ManagerConfig } from '../../config/manager-file.ts';
import { loadMasterConfig } from '../../config/master-file.ts';
import { urlOnItsHost } from '../../config/master-url.ts';
import { CodedError } from '../../errors/coded-error.ts';
import type { PoolChildInit } from '../../ext-processor/prover-pool.ts';
import { socketUrl } from '../../rpc/socket-address.ts';
import { type ClientTls, loadClientTls } from '../../rpc/tls.ts';
import { loadClientToken } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { poolChild, readExtProvers } from './ext-provers.ts';
import { keepEmbeddedDatabase } from './kept-database.ts';
import { MasterChild } from './master-child.ts';
import { programPath } from './program-path.ts';

/** Where the manager's database is, and who proves. */
export interface Cluster {
  readonly databaseUrls: readonly string[];
  /** Addresses of masters, `host:port` or a ws URL; none where the children prove. */
  readonly masters: readonly string[];
  readonly token: string | undefined;
  readonly tls: ClientTls | undefined;
  /** The provers of ext-prover.cfg, where they are no master of ours. */
  readonly children?: readonly PoolChildInit[];
  /** One of them is a child of this manager. */
  readonly startsMaster?: boolean;
  /** Ends what was started for this manager alone. */
  stop(): Promise<void>;
}

export interface ClusterInit {
  readonly home: string;
  readonly confDir: string;
  readonly config: ManagerConfig;
  /** Start the prover of ext-prover.cfg as a child. */
  readonly extProver: boolean;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
}

const EMBEDDED_MASTER = '127.0.0.1:4698';

/**
 * [Common.Cluster]; where absent the master of ext-prover.cfg; where that is absent too, an embedded database and master. A Master
 * without a Database is the address on which the embedded master listens. With --ext-prover and provers that are no master of ours
 * there is no master: they are children of the manager.
 * @throws CodedError `no-ext-prover`, `two-provers`, `no-master`, `no-database`
 */
export async function findCluster(components: Components, init: ClusterInit): Promise<Cluster> {
  const { database, master, tokenFile, tlsCa, tlsCert, tlsKey } = init.config.common.cluster;
  const token = await loadClientToken({ file: tokenFile, env: process.env }, 'submit');
  const tls = await loadClientTls({ ca: tlsCa, cert: tlsCert, key: tlsKey });
  const ext = await readExtProvers(init.confDir);
  for (const warning of ext.warnings) components.logger.warn({ warning }, 'config');
  if (init.extProver && ext.provers.length === 0 && ext.winning.length === 0) {
    throw new CodedError(
      'no-ext-prover',
      `no ext prover constructed: --ext-prover wants a [[WdPost]] or [[WinPost]] in ${ext.file}`,
    );
  }
  const children = init.extProver && ext.master === undefined && ext.provers.length > 0;
  if (children) {
    if (master !== undefined) {
      throw new CodedError(
        'two-provers',
        `sector-manager.cfg has [Common.Cluster] Master and ${ext.file} a prover that is no master of this cluster: ` +
          'leave out the Master, or --ext-prover',
      );
    }
    const db =
      database === undefined
        ? await embeddedDatabase(components, init.home, EMBEDDED_MASTER)
        : { url: database, stop: async () => {} };
    return {
      databaseUrls: [db.url].flat(),
      masters: [],
      token,
      tls,
      children: ext.provers.map(poolChild),
      stop: () => db.stop(),
    };
  }
  if (database !== undefined && master !== undefined) {
    return { databaseUrls: database, masters: master, token, tls, stop: async () => {} };
  }
  if (database !== undefined) {
    throw new CodedError(
      'no-master',
      'sector-manager.cfg: [Common.Cluster] has a Database and no Master: add Master = "host:4698"',
    );
  }
  if (ext.master === undefined) {
    const listen = master?.[0] ?? EMBEDDED_MASTER;
    if (!/^(?:127\.|localhost:|\[::1\])/.test(listen)) {
      throw new CodedError(
        'no-database',
        `sector-manager.cfg: [Common.Cluster] has the Master ${listen} and no Database: add the Database of that master`,
      );
    }
    return await embeddedCluster(components, init.home, listen, token);
  }
  const { config } = await loadMasterConfig(ext.master.file);
  const child = init.extProver ? new MasterChild(components, ext.master.child) : undefined;
  return {
    databaseUrls: config.db.url,
    masters: [urlOnItsHost(config.server)],
    token,
    tls: tls ?? (await loadClientTls({ ca: config.server.tlsCert })),
    startsMaster: child !== undefined,
    stop: async () => await child?.stop(),
  };
}

async function embeddedCluster(
  components: Components,
  home: string,
  listen: string,
  token: string | undefined,
): Promise<Cluster> {
  const database = await embeddedDatabase(components, home, listen);
  const child = new MasterChild(components, {
    bin: programPath('wdpost-master-daemon'),
    args: ['-c', embeddedMasterFile(home)],
    env: process.env,
  });
  return {
    databaseUrls: [database.url],
    masters: [socketUrl(listen, false)],
    token,
    tls: undefined,
    startsMaster: true,
    async stop() {
      await child.stop();
      await database.stop();
    },
  };
}

/** With the file by which other programs find it. */
async function embeddedDatabase(components: Components, home: string, listen: string) {
  await mkdir(home, { recursive: true });
  const database = await keepEmbeddedDatabase(components, join(home, 'database'));
  const file = embeddedMasterFile(home);
  // Renamed into place: somebody may be waiting for it.
  await writeFile(`${file}.new`, `[server]\nlisten = '${listen}'\n\n[db]\nurl = '${database.url}'\n`);
  await rename(`${file}.new`, file);
  return database;
}

function embeddedMasterFile(home: string): string {
  return join(home, 'embedded_master.toml');
}
