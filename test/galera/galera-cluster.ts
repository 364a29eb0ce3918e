import { access, chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, type MariadbServer, startMariadbServer } from '../support/mariadb-server.ts';

const PROVIDERS = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'];

const SYNCED = 'Synchronized with group';
const HELPERS = fileURLToPath(new URL('bin', import.meta.url));

export interface GaleraCluster {
  readonly nodes: readonly MariadbServer[];
  stop(): Promise<void>;
}

/** The library that makes nodes of servers; undefined when it is not installed. */
export async function findGalera(): Promise<string | undefined> {
  for (const path of PROVIDERS) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/**
 * Nodes of one cluster on loopback. All begin with a copy of the first one's data, so that no node has to be sent a whole copy,
 * which wants programs and rights of its own.
 */
export async function startGaleraCluster(provider: string, size: number): Promise<GaleraCluster> {
  const home = await mkdtemp(join(tmpdir(), 'wdpost-galera-'));
  await chmod(home, 0o755);
  const dataDir = (node: number) => join(home, `node-${node}`);
  const ports = await freePorts(4 * size);
  const port = (node: number, which: number) => ports[4 * node + which] ?? 0;
  const start = (node: number, members: number) => {
    const group = port(node, 1);
    const options = [
      `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
      `ist.recv_addr=127.0.0.1:${port(node, 2)}`,
      `ist.recv_bind=127.0.0.1:${port(node, 2)}`,
      'gcache.size=16M',
    ];
    const addresses = Array.from({ length: members }, (_, index) => `127.0.0.1:${port(index, 1)}`);
    const args = [
      '--wsrep-on=ON',
      `--wsrep-provider=${provider}`,
      `--wsrep-cluster-name=${home.slice(-6)}`,
      `--wsrep-cluster-address=gcomm://${addresses.join(',')}`,
      `--wsrep-node-name=node-${node}`,
      `--wsrep-node-address=127.0.0.1:${group}`,
      `--wsrep-provider-options=${options.join(';')}`,
      '--wsrep-sst-method=given',
      `--wsrep-sst-receive-address=127.0.0.1:${port(node, 3)}`,
      '--wsrep-slave-threads=2',
      '--binlog-format=ROW',
      '--innodb-autoinc-lock-mode=2',
      '--innodb-log-file-size=16M',
    ];
    const env = { WDPOST_GALERA_HOME: home, PATH: `${HELPERS}:${process.env.PATH}` };
    return startMariadbServer({ dataDir: dataDir(node), port: port(node, 0), args, env, says: SYNCED });
  };
  const nodes: MariadbServer[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    await rm(home, { recursive: true });
  };
  try {
    const first = await start(0, 0);
    await first.end('SIGTERM');
    for (let node = 1; node < size; node++) await cp(dataDir(0), dataDir(node), { recursive: true });
    for (let node = 0; node < size; node++) nodes.push(await start(node, node));
    return { nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
