import type { Measurement } from './records.ts';
import { typical, variantsOf, type Which } from './typical.ts';

export interface Goal {
  readonly what: string;
  /** Undefined where a measurement that it needs is missing. */
  readonly value: (measurements: readonly Measurement[]) => number | undefined;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Wished for, not promised. */
  readonly stretch?: true;
}

export const goals: readonly Goal[] = [
  {
    what: '4 KB drain ÷ graphile-worker (default)',
    value: ratio('perSecond', drain('4KB'), drain('4KB', 'graphile')),
    atLeast: 1,
  },
  {
    what: '4 KB drain ÷ BullMQ (appendfsync always)',
    value: ratio('perSecond', drain('4KB'), drain('4KB', 'bullmq-always')),
    atLeast: 1,
    stretch: true,
  },
  latencyGoal('4KB 50/s', 'p50Ms', 'graphile', 'graphile-worker (default)'),
  latencyGoal('4KB 50/s', 'p99Ms', 'graphile', 'graphile-worker (default)'),
  {
    what: '700 KB drain ÷ graphile-worker (batched)',
    value: ratio('perSecond', drain('700KB'), drain('700KB', 'graphile-batched')),
    atLeast: 1,
  },
  latencyGoal('700KB 5/s', 'p99Ms', 'graphile-batched', 'graphile-worker (batched)'),
  latencyGoal('700KB 40/s', 'p99Ms', 'graphile-batched', 'graphile-worker (batched)'),
  { what: '1,000 idle slaves: database statements a second', value: one('statementsPerSecond', idle(1000)), atMost: 5 },
  { what: '1,000 idle slaves: database connections', value: one('connections', idle(1000)), atMost: 3 },
  {
    what: 'latency of one task among 1,000 idle slaves ÷ with one slave (p50)',
    value: ratio('p50Ms', idle(1000), idle(1)),
    atMost: 2,
  },
  {
    what: 'seconds until 1,000 slaves are back after SIGKILL of the master',
    value: one('backSeconds', idle(1000)),
    atMost: 10,
  },
  { what: 'leases lost by that', value: one('leasesLost', idle(1000)), atMost: 0 },
  historyGoal('drain 4KB', 'perSecond', { atLeast: 0.9 }),
  historyGoal('latency 4KB 50/s', 'p50Ms', { atMost: 1.1 }),
  historyGoal('latency 4KB 50/s', 'p99Ms', { atMost: 1.1 }),
  { what: 'proof through the cluster ÷ prover alone (8 MiB sectors)', value: any('prove', 'ratio'), atMost: 1.05 },
  {
    what: 'rehearsed 32 GiB partition through the cluster ÷ prover alone',
    value: any('partition', 'ratio'),
    atMost: 1.05,
  },
  { what: 'slowest call to the master meanwhile, ms', value: any('partition', 'rpcMaxMs'), atMost: 100 },
  { what: 'latest heartbeat of the slave meanwhile, ms', value: any('partition', 'heartbeatLateMs'), atMost: 100 },
  {
    what: 'the same with 10 ms added to every read ÷ the floor of the delays',
    value: any('slow-reads', 'ratioToFloor'),
    atMost: 1.1,
  },
  {
    what: 'the same in 20 stores, 50 ms added to every read of one ÷ without',
    value: any('slow-store', 'ratio'),
    atMost: 1.1,
  },
  {
    what: 'reading a sector of the other 19 stores meanwhile ÷ without (p50)',
    value: any('slow-store', 'othersRatio'),
    atMost: 1.1,
  },
  {
    what: 'stores that the prover calls slow though they are not',
    value: any('slow-store', 'wronglyNamed'),
    atMost: 0,
  },
  { what: 'notes that name the slow store', value: any('slow-store', 'named'), atLeast: 1 },
  { what: '24 unequal chunks on 5 slaves: makespan ÷ lower bound', value: any('makespan', 'ratio'), atMost: 1.1 },
  {
    what: 'slave killed, socket closes: seconds until its task runs elsewhere',
    value: one('elsewhereSeconds', { cell: 'kill', variant: 'socket closes' }),
    atMost: 2,
  },
  {
    what: 'slave silent, socket stays open: seconds beyond heartbeat_timeout',
    value: (all) => {
      const which = { cell: 'kill', variant: 'socket stays open' };
      const [took, limit] = [one('elsewhereSeconds', which)(all), one('heartbeatTimeoutSeconds', which)(all)];
      return took === undefined || limit === undefined ? undefined : took - limit;
    },
    atMost: 2,
  },
];

export function holds({ atLeast, atMost }: Goal, value: number): boolean {
  return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
}

function drain(variant: string, system = 'wdpost'): Which {
  return { cell: 'drain', variant, system };
}

function idle(slaves: number): Which {
  return { cell: 'idle', variant: `${slaves} slaves` };
}

function latencyGoal(variant: string, value: 'p50Ms' | 'p99Ms', system: string, name: string): Goal {
  const which = { cell: 'latency', variant };
  const [body, rate] = variant.split(' ');
  return {
    what: `${body?.replace('KB', ' KB')}, ${rate}: ${value.slice(0, 3)} from enqueue to start ÷ ${name}`,
    value: ratio(value, which, { ...which, system }),
    atMost: 1,
  };
}

function historyGoal(variant: string, value: string, limit: Pick<Goal, 'atLeast' | 'atMost'>): Goal {
  const which = { cell: 'history', variant };
  const what = value === 'perSecond' ? 'drain' : `latency ${value.slice(0, 3)}`;
  return {
    what: `4 KB ${what} with a million archived tasks ÷ without`,
    value: ratio(value, { ...which, system: 'wdpost-history' }, which),
    ...limit,
  };
}

function one(value: string, which: Which): Goal['value'] {
  return (all) => typical(all, which, value)?.median;
}

/** Of a cell with one variant in a run; a quick run has a smaller one. */
function any(cell: string, value: string): Goal['value'] {
  return (all) => typical(all, { cell, variant: variantsOf(all, cell).at(-1) ?? '' }, value)?.median;
}

function ratio(value: string, of: Which, to: Which): Goal['value'] {
  return (all) => {
    const [above, below] = [one(value, of)(all), one(value, to)(all)];
    return above === undefined || below === undefined ? undefined : above / below;
  };
}
