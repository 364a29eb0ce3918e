import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { differences, type Facts, lostSectors } from '../../src/stores/reconcile/difference.ts';
import { empty, factsOf, liveOf, MINER, numbers, seenOf, share } from './sample-facts.ts';

const kinds = (facts: Facts) => [...differences(facts)].map(({ number, kind }) => `${number} ${kind}`);

test('missing is only what the chain has, the store had, nobody doubts, and no other store has', () => {
  fc.assert(
    fc.property(numbers, numbers, numbers, numbers, numbers, (live, had, sees, doubtful, others) => {
      const found = differences(
        factsOf({
          live: liveOf(live),
          seen: [seenOf({ sealed: sees, cache: sees, doubtful })],
          indexed: [share('a', had)],
          elsewhere: [share('b', others)],
        }),
      );
      const missing = [...found].filter(({ kind }) => kind === 'missing').map(({ number }) => number);
      const expected = [...live].filter(
        (number) => had.has(number) && !sees.has(number) && !doubtful.has(number) && !others.has(number),
      );
      expect(missing).toEqual(expected);
    }),
  );
});

test('every sector that is there and not on the chain is unexpected, and no other', () => {
  fc.assert(
    fc.property(numbers, numbers, numbers, (live, sealed, cache) => {
      const found = differences(factsOf({ live: liveOf(live), seen: [seenOf({ sealed, cache })] }));
      const unexpected = [...found].filter(({ kind }) => kind === 'unexpected').map(({ number }) => number);
      const there = SectorSet.of([...sealed, ...cache]);
      expect(unexpected).toEqual([...there].filter((number) => !live.has(number)));
    }),
  );
});

test('each kind, with its reason', () => {
  const live = liveOf(SectorSet.of([1, 2, 3, 4, 5]));
  const found = differences(
    factsOf({
      live,
      seen: [seenOf({ sealed: SectorSet.of([1, 2, 9]), cache: SectorSet.of([1, 2, 4]), wrong: new Map([[2, 'cut']]) })],
      indexed: [share('a', SectorSet.of([1, 3, 4]), SectorSet.of([1, 3, 4]))],
      elsewhere: [share('b', SectorSet.of([1]))],
    }),
  );
  expect([...found].map(({ number, kind, reason }) => [number, kind, reason])).toEqual([
    [9, 'unexpected', 'the chain has no such sector'],
    [2, 'wrong-size', 'cut'],
    [1, 'duplicate', 'also in b'],
    [3, 'missing', 'sealed file and cache folder are not there any more'],
    [4, 'missing', 'its sealed file is not there any more'],
  ]);
});

test('the old data of an upgraded sector may be gone', () => {
  const live = liveOf(SectorSet.of([1, 2]), SectorSet.of([1]));
  const indexed = [share('a', SectorSet.of([1, 2])), share('a', SectorSet.of([1]), SectorSet.of([1]), true)];
  const seen = [seenOf({ upgraded: true, sealed: SectorSet.of([1]), cache: SectorSet.of([1]) })];
  expect(kinds(factsOf({ live, indexed, seen }))).toEqual(['2 missing']);
});

test('a store that is not for the miner should have none of its sectors', () => {
  const live = liveOf(SectorSet.of([1]));
  const seen = [seenOf({ sealed: SectorSet.of([1]) })];
  expect(kinds(factsOf({ live, seen, denied: new Set([MINER]) }))).toEqual(['1 unexpected']);
});

test('a sector that no store is known to have is lost', () => {
  const live = liveOf(SectorSet.of([1, 2, 3, 4]), SectorSet.of([2, 4]));
  // Of the third there are files of an upgrade that is under way.
  const lost = lostSectors(live, [share('a', SectorSet.of([1, 4])), share('b', SectorSet.of([2, 3]), empty, true)]);
  expect(lost).toMatchObject([
    { number: 3, upgraded: false, kind: 'missing', reason: 'it is in no store that is configured' },
    { number: 4, upgraded: true, kind: 'missing', reason: 'it is in no store that is configured' },
  ]);
});
