import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return 'no error';
};

/** Dense and sparse sets, so that runs of every length form occur. */
const positions = fc.oneof(
  fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 60 }),
  fc.uniqueArray(fc.nat({ max: 100_000 }), { maxLength: 40 }),
  fc.uniqueArray(fc.maxSafeNat(), { maxLength: 10 }),
  fc
    .tuple(fc.nat({ max: 50_000 }), fc.integer({ min: 1, max: 3000 }))
    .map(([start, length]) => Array.from({ length }, (_, index) => start + index)),
);
const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);
const inBoth = (left: number[], right: number[], keep: (l: boolean, r: boolean) => boolean): number[] => {
  const [l, r] = [new Set(left), new Set(right)];
  return ascending([...new Set([...left, ...right])].filter((position) => keep(l.has(position), r.has(position))));
};

test('a field holds exactly the positions it was made of, in ascending order', () => {
  fc.assert(
    fc.property(positions, (set) => {
      const field = Bitfield.of(set);
      expect([...field]).toEqual(ascending(set));
      expect(field.count).toBe(set.length);
      expect(field.first).toBe(ascending(set)[0]);
      expect(field.last).toBe(ascending(set).at(-1));
      expect(field.isEmpty).toBe(set.length === 0);
    }),
  );
});

test('every encoding reads back as the same field', () => {
  fc.assert(
    fc.property(positions, (set) => {
      const field = Bitfield.of(set);
      expect(Bitfield.fromRlePlus(field.toRlePlus()).equals(field)).toBe(true);
      expect(Bitfield.fromRunLengths(field.runLengths()).equals(field)).toBe(true);
      if (!field.runLengths().some((run) => run > Number.MAX_SAFE_INTEGER)) {
        expect(Bitfield.fromJsonRuns(JSON.parse(JSON.stringify(field.toJsonRuns()))).equals(field)).toBe(true);
      }
    }),
  );
});

test('bytes that are read as a field are the bytes that it is written as', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      let field: Bitfield;
      try {
        field = Bitfield.fromRlePlus(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^bad-(rle-plus|bitfield)$/) });
        return;
      }
      expect(field.toRlePlus()).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('set algebra agrees with sets', () => {
  fc.assert(
    fc.property(positions, positions, (left, right) => {
      const [a, b] = [Bitfield.of(left), Bitfield.of(right)];
      expect([...a.union(b)]).toEqual(inBoth(left, right, (l, r) => l || r));
      expect([...a.intersection(b)]).toEqual(inBoth(left, right, (l, r) => l && r));
      expect([...a.subtract(b)]).toEqual(inBoth(left, right, (l, r) => l && !r));
      expect(a.equals(b)).toBe(String(ascending(left)) === String(ascending(right)));
    }),
  );
});

test('membership and slices agree with the list of positions', () => {
  fc.assert(
    fc.property(positions, fc.nat({ max: 70 }), fc.nat({ max: 70 }), (set, start, length) => {
      const field = Bitfield.of(set);
      expect(field.has(start)).toBe(set.includes(start));
      const sorted = ascending(set);
      if (length > 0 && start + length > set.length) {
        expect(codeOf(() => field.slice(start, length))).toBe('bad-bitfield');
      } else {
        expect([...field.slice(start, length)]).toEqual(sorted.slice(start, start + length));
      }
    }),
  );
});

test('a run of 2^60 sectors costs no more than a run of two', () => {
  const field = Bitfield.fromRunLengths([5n, 2n ** 60n]);
  expect(field.subtract(Bitfield.of([7])).runLengths()).toEqual([5n, 2n, 1n, 2n ** 60n - 3n]);
  expect(field.has(6)).toBe(true);
  expect(codeOf(() => field.count)).toBe('number-too-large');
});

test('Lotus writes the empty field as [0], null or []', () => {
  for (const json of [[0], null, []]) expect(Bitfield.fromJsonRuns(json).isEmpty).toBe(true);
  expect(Bitfield.empty.toJsonRuns()).toEqual([0]);
});

test.each([[[-1]], [[0.5]], [[2 ** 53]], [[Number.NaN]]])('%j is no set of positions', (set) => {
  expect(codeOf(() => Bitfield.of(set))).toBe('bad-bitfield');
});
