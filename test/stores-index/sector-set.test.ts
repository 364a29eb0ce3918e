import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SectorSet } from '../../src/stores/index/sector-set.ts';

const numbers = fc.array(fc.oneof(fc.nat(20_000), fc.maxSafeNat()), { maxLength: 100 });
const sorted = (set: Iterable<number>) => [...set].sort((left, right) => left - right);

test('holds what was added and not deleted, ascending', () => {
  fc.assert(
    fc.property(numbers, numbers, (added, deleted) => {
      const set = SectorSet.of(added);
      for (const number of deleted) set.delete(number);
      const model = new Set(added.filter((number) => !deleted.includes(number)));
      expect([...set]).toEqual(sorted(model));
      expect(set.size).toBe(model.size);
      for (const number of [...added, ...deleted]) expect(set.has(number)).toBe(model.has(number));
    }),
  );
});

test('is combined with others as sets are', () => {
  fc.assert(
    fc.property(numbers, numbers, (left, right) => {
      const [one, other] = [SectorSet.of(left), SectorSet.of(right)];
      expect([...one.intersection(other)]).toEqual(sorted(new Set(left.filter((number) => right.includes(number)))));
      expect([...one.subtract(other)]).toEqual(sorted(new Set(left.filter((number) => !right.includes(number)))));
      one.addAll(other);
      expect([...one]).toEqual(sorted(new Set([...left, ...right])));
    }),
  );
});
