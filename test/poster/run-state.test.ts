import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { Pace, PartitionFacts } from '../../src/poster/facts.ts';
import { pauseUntil, reserveOf } from '../../src/poster/reserve.ts';
import type { Run } from '../../src/poster/run.ts';
import { runState } from '../../src/poster/run-state.ts';
import { pace, partition, policy, runOf } from './runs.ts';

const slowPace: Pace = { expected: 4, slow: 6, slots: 2, ahead: 0 };
const stateAt = (run: Run, height: number, known: PartitionFacts = {}, given: Pace = slowPace) =>
  runState(
    run,
    { height, pace: given, partitions: new Map(run.partitions.map(({ index }) => [index, known])) },
    policy,
  );

describe('runState', () => {
  const proving = runOf(...[0, 1, 2].map((index) => partition(index, { state: 'proving' })));

  it('compares the proofs still to make with the time left', () => {
    // Two rounds on two slots: 10 + 12 epochs if slow, 10 + 8 as a rule. Close is at 160.
    expect(stateAt(proving, 138)).toEqual({ state: 'ok', reason: null });
    expect(stateAt(proving, 139).state).toBe('late');
    expect(stateAt(proving, 142).state).toBe('late');
    expect(stateAt(proving, 143)).toEqual({
      state: 'at-risk',
      reason: '3 proofs to make at about 4 epochs on 2 slots, and the message; 17 epochs left',
    });
  });

  it('sees at the challenge that there are too few slots', () => {
    const many = runOf(...Array.from({ length: 14 }, (_, index) => partition(index)));
    expect(stateAt(many, 90, {}, { expected: 9, slow: 10, slots: 1, ahead: 0 }).state).toBe('at-risk');
    expect(stateAt(many, 90, {}, { expected: 9, slow: 10, slots: 14, ahead: 0 }).state).toBe('ok');
  });

  it('calls lost what cannot be included any more', () => {
    expect(stateAt(proving, 159).state).toBe('lost');
    expect(stateAt(runOf(partition(3, { state: 'missed' })), 161)).toEqual({
      state: 'lost',
      reason: 'partition 3 not proven on chain before Close',
    });
    expect(stateAt(runOf(partition(0, { state: 'left-out' })), 160).state).toBe('lost');
    expect(stateAt(runOf(partition(0, { state: 'landed' })), 160).state).toBe('ok');
  });

  it('warns of what cannot be read', () => {
    const run = runOf(partition(0, { sectors: Bitfield.of([0, 1, 2]) }));
    const checks = (unknown: number) => ({
      checks: {
        atEpoch: 100,
        sectors: [0, 1, 2].map((number) =>
          number < unknown
            ? ({ number, verdict: 'unknown', reason: 'EIO' } as const)
            : ({ number, verdict: 'good', store: 'a', sealedFile: 's', cacheDir: 'c' } as const),
        ),
      },
    });
    expect(stateAt(run, 101, checks(0)).state).toBe('ok');
    expect(stateAt(run, 101, checks(1)).state).toBe('late');
    expect(stateAt(run, 101, checks(2)).state).toBe('at-risk');
  });

  it('warns of messages that do not leave or settle', () => {
    expect(stateAt(runOf(partition(0, { state: 'proven' })), 150).state).toBe('ok');
    expect(stateAt(runOf(partition(0, { state: 'proven' })), 151).state).toBe('at-risk');
    expect(stateAt(runOf(partition(0, { state: 'sending' })), 151).state).toBe('late');
  });
});

describe('reserveOf', () => {
  it('is the message and the slow proofs still to make, within bounds', () => {
    const partitions = [0, 1, 2, 3].map((index) => partition(index));
    expect(reserveOf(runOf(...partitions), pace)).toBe(15);
    expect(reserveOf(runOf(...partitions), slowPace)).toBe(22);
    expect(reserveOf(runOf(...partitions), { ...slowPace, slots: 1 })).toBe(30);
    expect(reserveOf(runOf(...partitions), { ...slowPace, ahead: 2 })).toBe(28);
    expect(reserveOf(runOf(partition(0, { state: 'proven' })), { ...slowPace, ahead: 2 })).toBe(15);
  });
});

describe('pauseUntil', () => {
  const run = runOf(partition(0));
  const until = (height: number, failures: number) => pauseUntil(run, pace, height, failures);

  it('grows, up to the beginning of the reserve', () => {
    expect([1, 2, 3, 4, 5, 6].map((failures) => until(100, failures) - 100)).toEqual([0, 1, 2, 4, 8, 8]);
    expect(until(142, 6)).toBe(145);
  });

  it('is short when little time is left', () => {
    expect(until(148, 6)).toBe(151);
    expect(until(158, 6)).toBe(159);
  });
});
