import { expect, it } from 'vitest';
import type { Effect } from './effects.ts';
import type { AttemptFact, Facts, TaskFact } from './facts.ts';
import type { Fault } from './inject.ts';
import { judge } from './judge.ts';
import { proofName } from './names.ts';

const PROOF = Buffer.from('proof').toString('base64');
const proof = proofName(PROOF);
const OTHER = 'another proof';

function effect(at: number, what: Effect['what'], more: Partial<Effect> = {}): Effect {
  return { at, pid: 1, who: 'slave-1', what, work: 'task', ...more };
}

const attempt: AttemptFact = {
  work: 'task',
  attempt: 1,
  slave: 'slave-1',
  startedAt: 1_000,
  endedAt: 2_000,
  outcome: 'proven',
};
const task: TaskFact = { work: 'task', lastAttempt: 1, isFinished: true, proof: PROOF, error: null };
const proving = [effect(1_010, 'start', { run: 'a' }), effect(1_900, 'proof', { run: 'a', proof })];
const verdict = effect(1_950, 'verdict', { who: 'master-1', proof, valid: true });
const answer = effect(2_010, 'answer', { who: 'submitter', state: 'proven', proof });
const good: Facts = {
  wanted: [{ work: 'task', closeAt: null, steps: ['900'] }],
  effects: [...proving, verdict, answer],
  attempts: [attempt],
  tasks: [task],
  faults: [],
  rewrites: [],
};
const lost: AttemptFact = { ...attempt, endedAt: 1_500, outcome: 'lost' };
const second: AttemptFact = { ...attempt, attempt: 2, slave: 'slave-2', startedAt: 1_600 };
const cancelled: TaskFact = { ...task, proof: null, error: 'cancelled: its deadline closed' };
const cutOff: Fault = { kind: 'slave cut off', target: 'slave-1', from: 1_400, until: 4_000 };

it('finds nothing wrong where nothing is', () => {
  expect(judge(good)).toEqual([]);
});

it.each<[string, Partial<Facts>, RegExp]>([
  ['no row', { tasks: [] }, /LOST: it is not in the database/],
  ['no end', { tasks: [{ ...task, isFinished: false, proof: null }], attempts: [lost] }, /LOST: it never finished/],
  ['no answer', { effects: [...proving, verdict] }, /LOST: .* never answered/],
  ['cancelled by nobody', { tasks: [cancelled], attempts: [lost] }, /LOST: it ended with cancelled/],
  [
    'an answer of another proof',
    { effects: [...proving, verdict, { ...answer, proof: OTHER }] },
    /STALE: its submitter was told of proof another proof/,
  ],
  ['a proof that nobody verified', { effects: [...proving, answer] }, /STALE: .* never verified/],
  ['a proof that nobody made', { effects: [verdict, answer] }, /STALE: no prover made/],
  [
    'a proof of an attempt that had ended',
    { attempts: [lost, second], tasks: [{ ...task, lastAttempt: 2 }] },
    /STALE: the stored proof is of attempt 1, stored for attempt 2/,
  ],
  [
    'two proven attempts',
    { attempts: [attempt, { ...second, startedAt: 1_100, endedAt: 2_100 }], tasks: [{ ...task, lastAttempt: 2 }] },
    /STALE: 2 attempts/,
  ],
  [
    'a lease after success',
    {
      attempts: [attempt, { ...second, startedAt: 2_100, endedAt: 2_200, outcome: 'lost' }],
      tasks: [{ ...task, lastAttempt: 2 }],
    },
    /TWICE: attempt 2 was leased 100 ms after success/,
  ],
  [
    'a start long after success',
    { effects: [...good.effects, effect(4_100, 'start', { run: 'b' })] },
    /TWICE: started 2100 ms after/,
  ],
  [
    'work that goes on',
    { effects: [...good.effects, effect(4_100, 'working', { run: 'a' })] },
    /still at work 2100 ms after its lease ended/,
  ],
  [
    'work without a lease',
    { effects: [...good.effects, effect(1_020, 'start', { run: 'b', who: 'slave-3' })] },
    /it had no lease/,
  ],
  [
    'an end that was written again',
    { rewrites: [{ work: 'task', what: 'attempt 1 had ended as lost and became proven' }] },
    /STALE: attempt 1 had ended as lost/,
  ],
  ['a number left out', { attempts: [{ ...attempt, attempt: 2 }] }, /attempt 2 follows 0/],
  ['an attempt that never ended', { attempts: [{ ...lost, endedAt: null }] }, /lives on after the end/],
])('sees %s', (_, broken, problem) => {
  expect(judge({ ...good, ...broken })).toContainEqual(expect.stringMatching(problem));
});

it('forgives a slave that nobody could tell', () => {
  const late = { ...good, effects: [...good.effects, effect(5_500, 'working', { run: 'a' })] };
  expect(judge(late)).toHaveLength(1);
  expect(judge({ ...late, faults: [cutOff] })).toEqual([]);
});

it('forgives an end that was asked for', () => {
  const wanted = [{ work: 'task', closeAt: 1_400, steps: ['900'] }];
  const ended = { ...lost, outcome: 'cancelled' };
  const effects = [effect(1_010, 'start', { run: 'a' }), effect(1_600, 'answer', { state: 'cancelled' })];
  expect(judge({ ...good, wanted, effects, tasks: [cancelled], attempts: [ended] })).toEqual([]);
});
