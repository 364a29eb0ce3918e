import type mysql from 'mysql2/promise';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { Cluster } from '../cluster.ts';
import { connectMariadb } from '../database.ts';
import { LineChild } from '../line-child.ts';
import { realProver } from '../paths.ts';
import type { Measurement } from '../records.ts';
import { fakeSectors } from '../sectors.ts';
import type { Servers } from '../servers.ts';
import { withSlowMirror } from '../slow-mirror.ts';
import { monotonicNs, Stage } from '../stage.ts';

const LIMIT_MS = 1_800_000;
const SAMPLE_MS = 50;
/** What startSlave configures. */
const HEARTBEAT_MS = 1_000;
const ALONE_ARGS = ['processor', 'window_post', '--progress', '--rehearse'];

export interface PartitionInit {
  readonly sectors: number;
  readonly round: number;
}

/**
 * A full 32 GiB partition of test sectors without the SNARK (--rehearse), by the prover alone and through master and slave. While
 * the cluster works, calls of a submitter and the slave's heartbeats are watched.
 */
export async function partition(servers: Servers, { sectors, round }: PartitionInit): Promise<Measurement> {
  const stage = await Stage.open('sectors');
  try {
    const makeTask = await fakeSectors(stage.dir, '32GiB', sectors);
    const aloneMs = await alone(makeTask(stage.dir, 2 * round));
    const { tookMs: clusterMs, ...watched } = await throughCluster(servers, makeTask(stage.dir, 2 * round + 1));
    const values = { aloneMs, clusterMs, ratio: clusterMs / aloneMs, ...watched };
    return { cell: 'partition', variant: `${sectors} sectors`, system: 'wdpost', round, values };
  } finally {
    await stage.close();
  }
}

/**
 * The same with a delay of each read of a sector's files. The floor: what the prover alone takes on the same mirror without delays,
 * and one delay. The mirror has no limit of reads at once, so a prover that reads far enough ahead waits only for its first.
 */
export async function slowReads(
  servers: Servers,
  { sectors, round, delayMs }: PartitionInit & { readonly delayMs: number },
): Promise<Measurement> {
  const stage = await Stage.open('sectors');
  try {
    const store = await stage.folder('store');
    const slow = await stage.folder('slow');
    const makeTask = await fakeSectors(store, '32GiB', sectors);
    const { result: undelayedMs } = await withSlowMirror(store, slow, 0, () => alone(makeTask(slow, 1)));
    const { result: aloneMs } = await withSlowMirror(store, slow, delayMs, () => alone(makeTask(slow, 2)));
    const { result, reads } = await withSlowMirror(store, slow, delayMs, () =>
      throughCluster(servers, makeTask(slow, 3)),
    );
    const floorMs = undelayedMs + delayMs;
    const { tookMs: clusterMs, ...watched } = result;
    const ratios = { ratio: clusterMs / aloneMs, ratioToFloor: clusterMs / floorMs };
    const values = { undelayedMs, aloneMs, clusterMs, floorMs, ...ratios, ...reads, ...watched };
    return { cell: 'slow-reads', variant: `${sectors} sectors`, system: 'wdpost', round, values };
  } finally {
    await stage.close();
  }
}

async function alone(task: WindowPostTask): Promise<number> {
  const child = new LineChild(realProver, ALONE_ARGS, {});
  try {
    return (await child.prove(task)).tookMs;
  } finally {
    child.close();
  }
}

async function throughCluster(
  servers: Servers,
  task: WindowPostTask,
): Promise<{ tookMs: number; rpcMaxMs: number; heartbeatLateMs: number }> {
  const cluster = await Cluster.open(servers, { slaves: 1, slaveEnv: () => ({ BENCH_REHEARSE: realProver }) });
  const watch = new Watch(cluster, await connectMariadb(servers, 'bench'));
  try {
    const from = monotonicNs();
    const id = await cluster.submit(task);
    const watched = watch.run(id);
    const tookMs = ((await cluster.untilProven(id, LIMIT_MS)) - from) / 1e6;
    await watched;
    return { tookMs, rpcMaxMs: watch.slowestCallMs, heartbeatLateMs: watch.heartbeatLateMs };
  } finally {
    await cluster.close();
    await watch.close();
  }
}

/** Times calls to the master, and looks at when the slave's heartbeats are recorded. */
class Watch {
  slowestCallMs = 0;
  heartbeatLateMs = 0;
  readonly #cluster: Cluster;
  readonly #connection: mysql.Connection;

  constructor(cluster: Cluster, connection: mysql.Connection) {
    this.#cluster = cluster;
    this.#connection = connection;
  }

  /** Until the task is not at work any more. */
  async run(id: string): Promise<void> {
    let beatAt: number | null = null;
    for (;;) {
      const from = monotonicNs();
      const view = await this.#cluster.client.call('task.get', { id });
      this.slowestCallMs = Math.max(this.slowestCallMs, (monotonicNs() - from) / 1e6);
      if (view === null || !['waiting', 'running'].includes(view.state)) return;
      const [[row]] = await this.#connection.query<mysql.RowDataPacket[]>(
        'SELECT heartbeat_at FROM task_attempts WHERE task_id = ?',
        [id],
      );
      const at = row === undefined ? null : Number(row.heartbeat_at);
      if (at !== null && beatAt !== null)
        this.heartbeatLateMs = Math.max(this.heartbeatLateMs, at - beatAt - HEARTBEAT_MS);
      beatAt = at;
      await systemClock.sleep(SAMPLE_MS);
    }
  }

  close(): Promise<void> {
    return this.#connection.end();
  }
}
