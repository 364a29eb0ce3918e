import { Arena } from '../arena.ts';
import type { Measurement } from '../records.ts';
import type { Servers } from '../servers.ts';
import type { System } from '../systems/system.ts';
import type { Body } from '../tasks.ts';

export interface BacklogInit {
  readonly body: Body;
  readonly count: number;
  readonly round: number;
  /** Of the first task. */
  readonly first?: number;
}

/**
 * Enqueues a backlog while no consumer runs, 16 submissions at a time, and lets two consumers of eight drain it: from the first
 * start of a handler to the last stored result.
 */
export async function backlog(system: System, servers: Servers, init: BacklogInit): Promise<Measurement[]> {
  const { body, count, round, first = 0 } = init;
  const arena = await Arena.open(system, servers);
  try {
    arena.startCpu();
    const { ns } = await arena.enqueue({ type: 'backlog', body, count, first });
    const enqueueCpu = arena.cpuPer(count);
    arena.startCpu();
    await arena.release();
    await arena.untilFinished(count);
    const drainCpu = arena.cpuPer(count);
    const starts = [...(await arena.starts()).values()];
    const drainSeconds = (arena.finished.lastAt - starts.reduce((a, b) => Math.min(a, b))) / 1e9;
    const common = { variant: body, system: system.name, round };
    return [
      { ...common, cell: 'enqueue', values: { perSecond: count / (ns / 1e9) }, cpuMsPerTask: enqueueCpu },
      { ...common, cell: 'drain', values: { perSecond: count / drainSeconds }, cpuMsPerTask: drainCpu },
    ];
  } finally {
    await arena.close();
  }
}
