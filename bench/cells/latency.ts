import { CodedError } from '../../src/errors/coded-error.ts';
import { Arena } from '../arena.ts';
import type { Measurement } from '../records.ts';
import type { Servers } from '../servers.ts';
import { until } from '../stage.ts';
import { percentile } from '../stats.ts';
import type { System } from '../systems/system.ts';
import type { Body } from '../tasks.ts';

export interface LatencyInit {
  readonly body: Body;
  readonly rate: number;
  readonly seconds: number;
  readonly round: number;
  /** Of the first task. */
  readonly first?: number;
}

const WARM_UP = 200;
const START_LIMIT_MS = 30_000;

/**
 * Open loop: tasks come at random intervals (Poisson) whatever became of the ones before. From when a task was meant to be sent to
 * the first line of its handler.
 */
export async function latency(system: System, servers: Servers, init: LatencyInit): Promise<Measurement> {
  const { body, rate, seconds, round, first = 0 } = init;
  const arena = await Arena.open(system, servers);
  try {
    await arena.release();
    await arena.enqueue({ type: 'backlog', body: '4KB', count: WARM_UP, first });
    await arena.untilFinished(WARM_UP);
    const count = Math.round(rate * seconds);
    arena.startCpu();
    const { sends } = await arena.enqueue({
      type: 'arrivals',
      body,
      rate,
      count,
      first: first + WARM_UP,
      seed: round + 1,
    });
    const starts = await arena.starts();
    await until(
      `${count} starts of ${system.name}`,
      async () => {
        for (const [number, at] of await arena.starts()) starts.set(number, at);
        return sends.every(([number]) => starts.has(number));
      },
      START_LIMIT_MS,
    );
    const cpuMsPerTask = arena.cpuPer(count);
    const times = sends.map(([number, at]) => {
      const start = starts.get(number);
      if (start === undefined) throw new CodedError('no-start', `task ${number} was not started`);
      return (start - at) / 1e6;
    });
    const values = { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), maxMs: Math.max(...times) };
    return { cell: 'latency', variant: `${body} ${rate}/s`, system: system.name, round, values, cpuMsPerTask };
  } finally {
    await arena.close();
  }
}
