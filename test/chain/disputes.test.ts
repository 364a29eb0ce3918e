import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutoffsBetween, disputedDeadlines, lastClose, looksBetween, sinceClose } from '../../src/chain/disputes.ts';
import { newDeadline } from '../../src/filecoin/deadline.ts';
import { mainnetPolicy } from '../../src/filecoin/policy.ts';

const grid = newDeadline(1000, 0, 1000, mainnetPolicy);
const { challengeWindow, provingPeriod } = mainnetPolicy;
const index = fc.nat(47);
const height = fc.integer({ min: 0, max: 20_000 });

const counts = (changed: Record<number, number>) => Array.from({ length: 48 }, (_, at) => changed[at] ?? 5);

it('a number that fell is a dispute unless the deadline closed since', () => {
  // Deadline 3 closes at 1240.
  const before = { height: 1240, counts: counts({}) };
  const fallen = counts({ 3: 4 });
  expect(disputedDeadlines(before, { height: 1241, counts: fallen }, grid)).toEqual([3]);
  expect(disputedDeadlines({ ...before, height: 1239 }, { height: 1240, counts: fallen }, grid)).toEqual([]);
  expect(disputedDeadlines({ ...before, height: 1100 }, { height: 1239, counts: fallen }, grid)).toEqual([3]);
  expect(disputedDeadlines(before, { height: 1241, counts: counts({ 3: 6 }) }, grid)).toEqual([]);
});

it('the last close is at the end of a window of the deadline, at most a period ago', () => {
  fc.assert(
    fc.property(index, height, (deadline, now) => {
      const close = lastClose(deadline, now, grid);
      expect(close).toBeLessThanOrEqual(now);
      expect(close).toBeGreaterThan(now - provingPeriod);
      expect((close - grid.periodStart - (deadline + 1) * challengeWindow) % provingPeriod).toBeCloseTo(0);
      expect(sinceClose(now, grid)).toBeLessThanOrEqual(now - close);
    }),
  );
});

it('however long nobody looked, the looks between compare every deadline after its close', () => {
  fc.assert(
    fc.property(index, height, fc.integer({ min: 1, max: 1_700 }), (deadline, before, epochs) => {
      const now = before + epochs;
      const looks = [before, ...looksBetween(before, now, grid), now];
      expect(looks).toEqual([...new Set(looks)].toSorted((left, right) => left - right));
      // A dispute between two looks, of a proof that was there at the first of them.
      const full = counts({});
      const seen = looks.slice(1).flatMap((look, at) => {
        const from = { height: looks[at] ?? 0, counts: full };
        return disputedDeadlines(from, { height: look, counts: counts({ [deadline]: 4 }) }, grid).length > 0
          ? [at]
          : [];
      });
      const closes = looks.slice(1).filter((look, at) => lastClose(deadline, look, grid) > (looks[at] ?? 0)).length;
      expect(seen).toHaveLength(looks.length - 1 - closes);
      expect(closes).toBeLessThanOrEqual(1);
    }),
  );
});

it('each cutoff is met once by whoever looks at every head', () => {
  expect(cutoffsBetween(1000 - 71, 1000 - 70, grid)).toEqual([0]);
  expect(cutoffsBetween(1000 - 70, 1000 - 69, grid)).toEqual([]);
  fc.assert(
    fc.property(height, fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 30 }), (start, steps) => {
      let now = start;
      const met = steps.flatMap((step) => {
        const from = now;
        now += step;
        return cutoffsBetween(from, now, grid);
      });
      if (now - start >= provingPeriod) return;
      expect(met.toSorted((left, right) => left - right)).toEqual(cutoffsBetween(start, now, grid));
    }),
  );
});
