import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { goneForGood, missedIfGone } from '../../src/stores/reconcile/gone-for-good.ts';
import { factsOf, liveOf, numbers, seenOf, share } from './sample-facts.ts';

test('is what the store had, shows no more, and the chain does not have', () => {
  fc.assert(
    fc.property(numbers, numbers, numbers, numbers, (live, had, sees, doubtful) => {
      const seen = [seenOf({ sealed: sees, cache: sees, doubtful })];
      const gone = goneForGood(factsOf({ live: liveOf(live), seen, indexed: [share('a', had)] }));
      const expected = [...had].filter((one) => !live.has(one) && !sees.has(one) && !doubtful.has(one));
      expect(gone.flatMap(({ sealed }) => [...sealed])).toEqual(expected);
      expect(gone.flatMap(({ cache }) => [...cache])).toEqual(expected);
    }),
  );
});

test('the old data of upgraded sectors is, the new data never', () => {
  const [all, upgraded] = [SectorSet.of([1, 2]), SectorSet.of([1])];
  const live = liveOf(all, upgraded);
  const gone = goneForGood(factsOf({ live, indexed: [share('a', all), share('a', upgraded, upgraded, true)] }));
  expect(gone).toMatchObject([{ store: 'a', upgraded: false }]);
  expect([...(gone[0]?.sealed ?? [])]).toEqual([1]);
});

test('nothing of a miner that the chain was not asked about', () => {
  expect(goneForGood(factsOf({ live: new Map(), indexed: [share('a', SectorSet.of([1]))] }))).toEqual([]);
});

test('what is whole in another store is, and a part alone is not', () => {
  const [all, sealed, cache] = [SectorSet.of([1, 2, 3]), SectorSet.of([1, 2]), SectorSet.of([1, 3])];
  const facts = factsOf({ live: liveOf(all), indexed: [share('a', all)], elsewhere: [share('b', sealed, cache)] });
  const [gone] = goneForGood(facts);
  expect([[...(gone?.sealed ?? [])], [...(gone?.cache ?? [])]]).toEqual([
    [1, 2],
    [1, 3],
  ]);
});

test('the files of an upgrade that the chain does not know are not missed', () => {
  const all = SectorSet.of([1, 2]);
  const facts = { live: liveOf(all), indexed: [share('a', all), share('a', all, all, true)], elsewhere: [] };
  expect(missedIfGone(facts)).toMatchObject([{ upgraded: false }]);
});

test('of a miner that was not asked about everything is missed', () => {
  const all = SectorSet.of([1, 2]);
  expect(missedIfGone({ live: new Map(), indexed: [share('a', all)], elsewhere: [share('b', all)] })).toHaveLength(1);
});
