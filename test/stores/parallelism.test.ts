import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MOST_PARALLEL, Parallelism } from '../../src/stores/parallelism.ts';

/** The mean limit of the last rounds with a store in which `limit` sectors at a time take so long each. */
function settled(msOf: (limit: number) => number, parallelism = new Parallelism()): number {
  let sum = 0;
  for (let answer = 0; answer < 5_000; answer++) {
    parallelism.answered(msOf(parallelism.limit));
    if (answer >= 4_000) sum += parallelism.limit;
  }
  return sum / 1_000;
}

test('a store that takes no longer for more is asked for more', () => {
  expect(settled(() => 50)).toBeGreaterThan(MOST_PARALLEL - 4);
  expect(settled(() => 0.2)).toBeGreaterThan(MOST_PARALLEL - 4);
});

test('a store that only makes them wait is asked for fewer', () => {
  expect(settled((limit) => limit * 3)).toBeLessThan(13);
  // Up to 16 at a time it is as quick as for one.
  const limit = settled((sectors) => 20 * Math.max(1, (sectors / 16) ** 3));
  expect(limit).toBeGreaterThan(12);
  expect(limit).toBeLessThan(20);
});

test('a store that becomes another is learnt anew', () => {
  const parallelism = new Parallelism();
  expect(settled((limit) => limit, parallelism)).toBeLessThan(13);
  expect(settled(() => 80, parallelism)).toBeGreaterThan(MOST_PARALLEL - 4);
  expect(settled((limit) => limit * 40, parallelism)).toBeLessThan(13);
});

test('stays in its bounds whatever is answered', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 10_000, noNaN: true }), { maxLength: 500 }), (times) => {
      const parallelism = new Parallelism();
      for (const ms of times) {
        parallelism.answered(ms);
        expect(parallelism.limit).toBeGreaterThanOrEqual(8);
        expect(parallelism.limit).toBeLessThanOrEqual(MOST_PARALLEL);
      }
    }),
  );
});
