import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { decide } from '../../src/poster/decide.ts';
import type { PartitionFacts, TaskFact } from '../../src/poster/facts.ts';
import type { RunPartition } from '../../src/poster/run.ts';
import type { SectorCheck, SectorCopy } from '../../src/stores/sector-check.ts';
import { pace, partition, policy, randomness, runOf } from './runs.ts';

const six = [0, 1, 2, 3, 4, 5];
/** Close is at 160 and the reserve begins at 145; half of a partition may be skipped. */
const BEFORE = 120;
const IN_RESERVE = 150;

const copyOf = (number: number, store = 'a'): SectorCopy => ({
  number,
  sealedFile: `/${store}/s${number}`,
  cacheDir: `/${store}/c${number}`,
});
const good = (number: number, store = 'a'): SectorCheck => ({ ...copyOf(number, store), verdict: 'good', store });
const inVain = (number: number) =>
  ({ ...copyOf(number), verdict: 'corrupt', store: 'a', reason: 'it gave no proof' }) as const;
const corrupt = (number: number): SectorCheck => inVain(number);

function decided(height: number, changes: Partial<RunPartition>, facts: PartitionFacts) {
  const run = runOf(partition(0, { sectors: Bitfield.of(six), ...changes }));
  const [action, ...others] = decide(
    run,
    { height, pace, randomness, partitions: new Map([[0, facts]]) },
    { ...policy, maxSkipShare: 0.4 },
  );
  expect(others).toEqual([]);
  return action;
}

const skippedBy = (action: ReturnType<typeof decided>) =>
  action !== undefined && 'skipped' in action ? [...action.skipped] : undefined;

describe('a task that found sectors corrupt', () => {
  const faulted = (...numbers: number[]): TaskFact => ({
    state: 'faulted',
    faults: numbers.map((sector) => ({ sector, class: 'bad', reason: 'corrupt', copy: copyOf(sector) })),
  });
  const proving = (provingEpoch: number, tried: readonly SectorCopy[] = []) =>
    ({ state: 'proving', taskId: 't', provingEpoch, corrupt: tried }) as const;

  it('has other copies looked for before anything is skipped', () => {
    const action = decided(BEFORE, proving(BEFORE - 5), { task: faulted(2) });
    expect(action).toMatchObject({ kind: 'recheck', corrupt: [copyOf(2)] });
    expect(skippedBy(action)).toEqual([]);
  });

  it('skips at once what no copy is named of, as a master of an older version answers', () => {
    const task: TaskFact = { state: 'faulted', faults: [{ sector: 2, class: 'bad', reason: 'corrupt' }] };
    expect(skippedBy(decided(BEFORE, proving(BEFORE - 5), { task }))).toEqual([2]);
  });

  it('in the reserve has one more copy of each tried', () => {
    const first = decided(IN_RESERVE, proving(146), { task: faulted(2) });
    expect(first).toMatchObject({ kind: 'recheck', corrupt: [copyOf(2)] });
    expect(skippedBy(first)).toEqual([]);
    const second = decided(IN_RESERVE, proving(146, [copyOf(2, 'b')]), { task: faulted(2, 3) });
    expect(second).toMatchObject({ kind: 'recheck', corrupt: [copyOf(2), copyOf(3)] });
    expect(skippedBy(second)).toEqual([2]);
  });

  it('and some unreadable has these tried elsewhere in the reserve alone: a look finds another copy by itself before', () => {
    const task: TaskFact = {
      state: 'faulted',
      faults: [{ sector: 2, class: 'unknown', reason: 'EIO', copy: copyOf(2) }],
    };
    expect(decided(BEFORE, proving(BEFORE - 5), { task })).toMatchObject({ kind: 'recheck', corrupt: [] });
    const inReserve = decided(IN_RESERVE, proving(146), { task });
    expect(inReserve).toMatchObject({ kind: 'recheck', corrupt: [copyOf(2)] });
    expect(skippedBy(inReserve)).toEqual([]);
  });

  it('of too many is left out in the reserve, and what it read is remembered', () => {
    const tried = six.map((number) => copyOf(number, 'b'));
    const action = decided(IN_RESERVE, proving(146, tried), { task: faulted(0, 1, 2) });
    expect(action).toMatchObject({ kind: 'leave-out', corrupt: [copyOf(0), copyOf(1), copyOf(2)] });
  });
});

describe('a look that finds only corrupt copies of a sector', () => {
  const checks = (atEpoch: number, missing: number) => ({
    checks: { atEpoch, sectors: six.map((number) => (number < missing ? corrupt(number) : good(number))) },
  });

  it('skips it at once', () => {
    const action = decided(BEFORE, {}, checks(BEFORE, 1));
    expect(action).toMatchObject({ kind: 'prove', sectors: [1, 2, 3, 4, 5].map((number) => copyOf(number)) });
    expect(skippedBy(action)).toEqual([0]);
  });

  it('of many sectors has them read again until the reserve', () => {
    const action = decided(BEFORE, {}, checks(BEFORE, 3));
    expect(action).toMatchObject({ kind: 'prove', sectors: six.map((number) => copyOf(number)) });
    expect(skippedBy(action)).toEqual([]);
  });

  it('of many sectors in the reserve has them read once more sooner than it leaves the partition out', () => {
    for (const state of ['checking', 'left-out'] as const) {
      expect(skippedBy(decided(IN_RESERVE, { state }, checks(IN_RESERVE, 3)))).toEqual([]);
      expect(decided(IN_RESERVE, { state }, checks(BEFORE, 3))).toMatchObject({ kind: 'check' });
    }
  });

  it('while another store is away waits for one sector, and has many read again', () => {
    const doubtful = (atEpoch: number, missing: number): PartitionFacts => {
      const doubt = (number: number): SectorCheck => ({ ...inVain(number), doubt: 'b: it hangs' });
      return { checks: { atEpoch, sectors: six.map((number) => (number < missing ? doubt(number) : good(number))) } };
    };
    expect(decided(BEFORE, {}, doubtful(BEFORE, 1))).toBeUndefined();
    expect(skippedBy(decided(IN_RESERVE, {}, doubtful(IN_RESERVE, 1)))).toEqual([0]);
    for (const missing of [3, 6]) {
      expect(skippedBy(decided(BEFORE, {}, doubtful(BEFORE, missing)))).toEqual([]);
      expect(skippedBy(decided(IN_RESERVE, {}, doubtful(IN_RESERVE, missing)))).toEqual([]);
    }
  });

  it('waits for a store that may have a good one, and gives it up in the reserve', () => {
    const away = (atEpoch: number): PartitionFacts => {
      const sectors = six.map((number): SectorCheck => {
        if (number === 0) return { number, verdict: 'unknown', reason: 'b: it hangs' };
        return number < 4 ? corrupt(number) : good(number);
      });
      return { checks: { atEpoch, sectors } };
    };
    expect(decided(BEFORE, {}, away(BEFORE))).toBeUndefined();
    expect(skippedBy(decided(IN_RESERVE, {}, away(IN_RESERVE)))).toEqual([0]);
  });
});
