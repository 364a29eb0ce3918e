import { readFile } from 'node:fs/promises';
import { Cluster } from '../cluster.ts';
import type { Measurement } from '../records.ts';
import type { Servers } from '../servers.ts';
import { monotonicNs, until } from '../stage.ts';
import { startsOf } from '../systems/wdpost.ts';
import { taskMaker } from '../tasks.ts';

const HEARTBEAT_TIMEOUT_S = 5;
/** A proof that outlasts everything here. */
const MS_PER_SECTOR = 10_000;

/**
 * A slave at work is lost: killed, so that its socket closes, or stopped, so that its socket stays open and silent as that of a
 * dead host does. Until its task starts on the other slave.
 */
export async function kill(
  servers: Servers,
  { signal, round }: { readonly signal: 'SIGKILL' | 'SIGSTOP'; readonly round: number },
): Promise<Measurement> {
  const cluster = await Cluster.open(servers, {
    slaves: 2,
    task: `heartbeat_timeout = '${HEARTBEAT_TIMEOUT_S}s'`,
    slaveEnv: () => ({ BENCH_MS_PER_SECTOR: String(MS_PER_SECTOR) }),
  });
  const starts = async (): Promise<number[]> => {
    const text = await readFile(startsOf(cluster.stage), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Number(line.split(' ')[1]));
  };
  try {
    const id = await cluster.submit(taskMaker('4KB')(round));
    await until('the first start', async () => (await starts()).length === 1);
    const busy = (await cluster.client.call('task.get', { id }))?.slave ?? '';
    const at = monotonicNs();
    cluster.stage.signal(busy, signal);
    await until('the second start', async () => (await starts()).length === 2);
    const [, second = Number.NaN] = await starts();
    const values = { elsewhereSeconds: (second - at) / 1e9, heartbeatTimeoutSeconds: HEARTBEAT_TIMEOUT_S };
    const variant = signal === 'SIGKILL' ? 'socket closes' : 'socket stays open';
    return { cell: 'kill', variant, system: 'wdpost', round, values };
  } finally {
    await cluster.close();
  }
}
