import type { Action } from '../../src/poster/actions.ts';
import { decide } from '../../src/poster/decide.ts';
import type { Facts, PartitionFacts, PostPolicy } from '../../src/poster/facts.ts';
import { reserveOf } from '../../src/poster/reserve.ts';
import type { Run, RunPartition } from '../../src/poster/run.ts';
import type { Plan } from './plan.ts';

export interface Mutation {
  readonly name: string;
  /** What the oracle must say of it. */
  readonly caught: RegExp;
  readonly decide: typeof decide;
  /** What makes the weather it needs less rare. */
  readonly plan?: Partial<Plan>;
}

const LOST = /lost, though/;
const EARLY = /before the reserve/;
const TWICE = /was sent with nonce/;

type Change<T> = (value: T, run: Run, facts: Facts, policy: PostPolicy) => T;

const known = (change: (facts: PartitionFacts, index: number) => PartitionFacts, facts: Facts): Facts => ({
  ...facts,
  partitions: new Map([...facts.partitions].map(([index, partition]) => [index, change(partition, index)])),
});

const withFacts =
  (change: Change<Facts>): typeof decide =>
  (run, facts, policy) =>
    decide(run, change(facts, run, facts, policy), policy);

const withActions =
  (change: Change<Action[]>): typeof decide =>
  (run, facts, policy) =>
    change(decide(run, facts, policy), run, facts, policy);

const without = (drops: (action: Action, run: Run, facts: Facts) => boolean): typeof decide =>
  withActions((actions, run, facts) => actions.filter((action) => !drops(action, run, facts)));

const again = ({ index, state }: RunPartition): Action => ({
  kind: 'resend',
  partition: index,
  from: state,
  to: 'proven',
  messageLimit: 0,
  reason: 'impatience',
});

/** Mistakes that a poster can have; peers have had most of them. */
export const mutations: readonly Mutation[] = [
  {
    name: 'calls unknown sectors bad',
    caught: EARLY,
    decide: withFacts((facts) =>
      known(
        ({ checks, ...others }) => ({
          ...others,
          ...(checks && {
            checks: {
              ...checks,
              sectors: checks.sectors.map((sector) =>
                sector.verdict === 'unknown' ? { ...sector, verdict: 'bad' } : sector,
              ),
            },
          }),
        }),
        facts,
      ),
    ),
  },
  {
    name: 'believes every fault of a slave',
    caught: EARLY,
    decide: withFacts((facts) =>
      known(({ task, ...others }) => {
        if (task?.state !== 'faulted') return { ...others, ...(task && { task }) };
        return { ...others, task: { ...task, faults: task.faults.map((fault) => ({ ...fault, class: 'bad' })) } };
      }, facts),
    ),
  },
  {
    name: 'never looks at sectors again',
    caught: LOST,
    decide: without(
      (action, _, facts) => action.kind === 'check' && facts.partitions.get(action.partition)?.checks !== undefined,
    ),
  },
  {
    name: 'never proves again after a failed proof',
    caught: LOST,
    decide: without((action) => action.kind === 'recheck'),
  },
  {
    name: 'never sends again',
    caught: LOST,
    decide: without((action) => action.kind === 'resend'),
  },
  {
    name: 'does not see that the challenge changed',
    caught: LOST,
    plan: { challengeConfidence: 1, messageConfidence: 12 },
    decide: withFacts((facts, run) => ({ ...facts, randomness: run.randomness })),
  },
  {
    name: 'skips a sector whose first copy is corrupt',
    caught: EARLY,
    decide: withFacts((facts) =>
      known(({ task, ...others }) => {
        if (task?.state !== 'faulted') return { ...others, ...(task && { task }) };
        const faults = task.faults.map(({ copy: _, ...fault }) => fault);
        return { ...others, task: { ...task, faults } };
      }, facts),
    ),
  },
  {
    name: 'forgets which copy was corrupt',
    caught: LOST,
    decide: withActions((actions) =>
      actions.map((action) => (action.kind === 'recheck' ? { ...action, corrupt: [] } : action)),
    ),
  },
  {
    name: 'sends only when all partitions are proven',
    caught: LOST,
    decide: without(
      (action, run) =>
        action.kind === 'submit' &&
        run.partitions.some(({ state }) => state === 'checking' || state === 'proving' || state === 'left-out'),
    ),
  },
  {
    name: 'sends only in the last epochs',
    caught: LOST,
    decide: without((action, run, facts) => action.kind === 'submit' && facts.height < run.close - 3),
  },
  {
    name: 'never goes on without the sectors that cannot be read',
    caught: LOST,
    decide: without((action) => action.kind === 'prove' && !action.skipped.isEmpty),
  },
  {
    name: 'gives partitions up at the reserve',
    caught: LOST,
    decide: withActions((actions, run, facts) =>
      facts.height < run.close - reserveOf(run, facts.pace) - 10
        ? actions
        : actions.filter(({ kind }) => kind === 'close'),
    ),
  },
  {
    name: 'skips however many sectors',
    caught: /more than the share/,
    decide: (run, facts, policy) => decide(run, facts, { ...policy, maxSkipShare: 1 }),
  },
  {
    name: 'gives a partition up after a message that failed',
    caught: LOST,
    decide: withActions((actions) =>
      actions.flatMap((action): Action[] => {
        if (action.kind !== 'resend') return [action];
        if (action.from === 'missed') return [];
        return [{ kind: 'finish', partition: action.partition, state: 'missed', reason: null }];
      }),
    ),
  },
  {
    name: 'sends again what takes long to land',
    caught: TWICE,
    decide: (run, facts, policy) => [
      ...decide(run, facts, policy),
      ...run.partitions.filter(({ state }) => state === 'sending' && facts.height === run.open + 20).map(again),
    ],
  },
  {
    name: 'forgets a proof that did not verify',
    caught: /lost, though it was proven/,
    decide: without(({ kind }) => kind === 'look-again'),
  },
  {
    name: 'puts any partitions in one message',
    caught: /can be disputed/,
    decide: withActions((actions) => {
      const together = actions.flatMap((action) => (action.kind === 'submit' ? action.partitions : []));
      const others = actions.filter((action) => action.kind !== 'submit');
      return together.length === 0 ? others : [...others, { kind: 'submit', partitions: together }];
    }),
  },
];
