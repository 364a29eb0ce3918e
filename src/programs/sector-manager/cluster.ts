import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import { type ExtProverConfig, loadExtProverConfig } from '../../config/ext-prover-file.ts';
import type { ManagerConfig } from '../../config/manager-file.ts';
import { loadMasterConfig, type MasterConfig } from '../../config/master-file.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { socketUrl } from '../../rpc/socket-address.ts';
import { type ClientTls, loadClientTls } from '../../rpc/tls.ts';
import { loadClientToken } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { keepEmbeddedDatabase } from './kept-database.ts';
import { MasterChild } from './master-child.ts';
import { programPath } from './program-path.ts';

/** Where the manager's database and master are. */
export interface Cluster {
  readonly databaseUrls: readonly string[];
  /** Addresses of masters, `host:port` or a ws URL. */
  readonly masters: readonly string[];
  readonly token: string | undefined;
  readonly tls: ClientTls | undefined;
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
 * without a Database is the address on which the embedded master listens.
 */
export async function findCluster(components: Components, init: ClusterInit): Promise<Cluster> {
  const { database, master, tokenFile, tlsCa, tlsCert, tlsKey } = init.config.common.cluster;
  const token = await loadClientToken({ file: tokenFile, env: process.env }, 'submit');
  const tls = await loadClientTls({ ca: tlsCa, cert: tlsCert, key: tlsKey });
  if (database !== undefined && master !== undefined) {
    return { databaseUrls: database, masters: master, token, tls, stop: async () => {} };
  }
  if (database !== undefined) {
    throw new CodedError(
      'no-master',
      'sector-manager.cfg: [Common.Cluster] has a Database and no Master: add Master = "host:4698"',
    );
  }
  const extProverFile = join(init.confDir, 'ext-prover.cfg');
  const named = existsSync(extProverFile) ? await masterOfExtProver(extProverFile, init.extProver) : undefined;
  if (named === undefined) {
    const listen = master?.[0] ?? EMBEDDED_MASTER;
    if (!/^(?:127\.|localhost:|\[::1\])/.test(listen)) {
      throw new CodedError(
        'no-database',
        `sector-manager.cfg: [Common.Cluster] has the Master ${listen} and no Database: add the Database of that master`,
      );
    }
    return await embeddedCluster(components, init.home, listen, token);
  }
  const { config } = await loadMasterConfig(named.masterFile);
  const child = init.extProver ? new MasterChild(components, named.child) : undefined;
  return {
    databaseUrls: config.db.url,
    masters: [urlOnItsHost(config.server)],
    token,
    tls: tls ?? (await loadClientTls({ ca: config.server.tlsCert })),
    stop: async () => await child?.stop(),
  };
}

/** A certificate is made out to the name that others use; in the clear loopback will do. */
export function urlOnItsHost({ listen, advertise, tlsCert }: MasterConfig['server']): string {
  const isEvery = listen.host === '0.0.0.0' || listen.host === '::';
  const host = isEvery ? (tlsCert === undefined ? '127.0.0.1' : hostname()) : listen.host;
  const address = `${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
  return tlsCert === undefined ? `ws://${address}` : `wss://${advertise ?? address}`;
}

/** The wdpost_master.toml that the first [[WdPost]] of ext-prover.cfg names, where there is one. */
export async function masterFileOfExtProver(confDir: string): Promise<string | undefined> {
  const file = join(confDir, 'ext-prover.cfg');
  if (!existsSync(file)) return undefined;
  return (await masterOfExtProver(file, false))?.masterFile;
}

async function masterOfExtProver(file: string, required: boolean) {
  const { config } = await loadExtProverConfig(file);
  const [first] = config.wdPost;
  const masterFile = first && masterFileOf(first.args);
  if (first === undefined || masterFile === undefined) {
    if (!required) return undefined;
    throw new CodedError(
      'no-ext-prover',
      `${file}: --ext-prover wants a [[WdPost]] with Args = ["-c", "<wdpost_master.toml>"]`,
    );
  }
  const child = {
    bin: first.bin ?? programPath('wdpost-master-daemon'),
    args: first.args,
    env: { ...process.env, ...first.envs },
  };
  return { masterFile, child };
}

/** The value of `-c FILE` or `-c=FILE`. */
function masterFileOf(args: ExtProverConfig['wdPost'][number]['args']): string | undefined {
  const at = args.findIndex((arg) => arg === '-c' || arg.startsWith('-c='));
  return at < 0 ? undefined : args[at] === '-c' ? args[at + 1] : args[at]?.slice(3);
}

async function embeddedCluster(
  components: Components,
  home: string,
  listen: string,
  token: string | undefined,
): Promise<Cluster> {
  await mkdir(home, { recursive: true });
  const database = await keepEmbeddedDatabase(components, join(home, 'database'));
  const masterFile = join(home, 'embedded_master.toml');
  // Renamed into place: somebody may be waiting for it.
  await writeFile(`${masterFile}.new`, `[server]\nlisten = '${listen}'\n\n[db]\nurl = '${database.url}'\n`);
  await rename(`${masterFile}.new`, masterFile);
  const child = new MasterChild(components, {
    bin: programPath('wdpost-master-daemon'),
    args: ['-c', masterFile],
    env: process.env,
  });
  return {
    databaseUrls: [database.url],
    masters: [socketUrl(listen, false)],
    token,
    tls: undefined,
    async stop() {
      await child.stop();
      await database.stop();
    },
  };
}
