import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkUnion, sharesMessage } from '../../src/filecoin/partitions.ts';

const sectors = fc.uniqueArray(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 40 });
const sizes = fc.integer({ min: 1, max: 7 });
const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);

test('chunks are full but the last, ascending, and hold every sector once', () => {
  fc.assert(
    fc.property(sectors, sizes, (union, size) => {
      const chunks = chunkUnion([...union, ...union], size);
      expect(chunks.flat()).toEqual(ascending(union));
      expect(chunks.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
      expect(chunks.at(-1)?.length).toBeLessThanOrEqual(size);
    }),
  );
});

test('the chunks of a union share a message, in any order within', () => {
  fc.assert(
    fc.property(sectors, sizes, (union, size) => {
      expect(sharesMessage(chunkUnion(union, size), size)).toBe(true);
      expect(
        sharesMessage(
          chunkUnion(union, size).map((chunk) => chunk.toReversed()),
          size,
        ),
      ).toBe(true);
    }),
  );
});

test('partitions share a message only if the verifier cuts them as they are', () => {
  const partitions = fc.array(fc.uniqueArray(fc.nat({ max: 30 }), { maxLength: 5 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(partitions, fc.integer({ min: 1, max: 5 }), (given, size) => {
      const cut = JSON.stringify(chunkUnion(given.flat(), size));
      expect(sharesMessage(given, size)).toBe(cut === JSON.stringify(given.map(ascending)));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  {
    given: [
      [0, 1],
      [2, 3],
    ],
    shares: true,
    why: 'full and in order',
  },
  { given: [[0, 1], [2]], shares: true, why: 'only the last is short' },
  { given: [[0], [2, 3]], shares: false, why: 'a skipped sector moves every border behind it' },
  {
    given: [
      [2, 3],
      [0, 1],
    ],
    shares: false,
    why: 'out of order',
  },
  {
    given: [
      [0, 2],
      [1, 3],
    ],
    shares: false,
    why: 'sectors interleave',
  },
  { given: [[0, 1, 2]], shares: false, why: 'more sectors than a partition holds' },
  { given: [[0, 1], []], shares: false, why: 'nothing to prove in one' },
])('$given: $why', ({ given, shares }) => {
  expect(sharesMessage(given, 2)).toBe(shares);
});
