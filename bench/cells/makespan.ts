import { readFile } from 'node:fs/promises';
import { systemClock } from '../../src/clock/system-clock.ts';
import { Cluster } from '../cluster.ts';
import type { Measurement } from '../records.ts';
import type { Servers } from '../servers.ts';
import { random } from '../stats.ts';
import { gateOf, startsOf } from '../systems/wdpost.ts';
import { taskMaker } from '../tasks.ts';

const CHUNKS = 24;
const SLAVES = 5;
const MS_PER_SECTOR = 20;
const LEAST_SECTORS = 20;
const MOST_SECTORS = 120;
const CLOSE_MS = 3_600_000;

/**
 * Partitions of one deadline, of 20 to 120 sectors and 20 ms for each, on five slaves: from the first start to the last proof, over
 * the lower bound that no order can beat (the sum shared out, or the longest).
 */
export async function makespan(servers: Servers, { round }: { readonly round: number }): Promise<Measurement> {
  const draw = random(round + 1);
  const make = taskMaker('700KB');
  const sizes = Array.from({ length: CHUNKS }, () =>
    Math.round(LEAST_SECTORS + draw() * (MOST_SECTORS - LEAST_SECTORS)),
  );
  const cluster = await Cluster.open(servers, {
    slaves: SLAVES,
    slaveEnv: (stage) => ({ BENCH_GATE: gateOf(stage), BENCH_MS_PER_SECTOR: String(MS_PER_SECTOR) }),
  });
  try {
    const closeAt = systemClock.now() + CLOSE_MS;
    const ids = await Promise.all(
      sizes.map(async (sectors, number) => {
        const task = make(number);
        return await cluster.submit({ ...task, replicas: task.replicas.slice(0, sectors) }, closeAt);
      }),
    );
    await cluster.release();
    const ends = await Promise.all(ids.map((id) => cluster.untilProven(id)));
    const text = await readFile(startsOf(cluster.stage), 'utf8');
    const starts = text
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[1]));
    const tookMs = (Math.max(...ends) - Math.min(...starts)) / 1e6;
    const sum = sizes.reduce((total, sectors) => total + sectors, 0);
    const boundMs = Math.max(sum / SLAVES, ...sizes) * MS_PER_SECTOR;
    const values = { tookMs, boundMs, ratio: tookMs / boundMs, starts: starts.length };
    return { cell: 'makespan', variant: `${CHUNKS} on ${SLAVES}`, system: 'wdpost', round, values };
  } finally {
    await cluster.close();
  }
}
