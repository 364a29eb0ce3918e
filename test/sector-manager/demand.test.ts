import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Demand, gpusNeeded } from '../../src/programs/sector-manager/preflight/demand.ts';

const MINUTE = 60_000;

/** Deadlines of one miner with 60 epochs, half an hour, to prove in. */
const miner = (partitions: readonly number[], offset = 0): Demand[] =>
  partitions
    .map((count, index) => ({ from: offset + index * 60, until: offset + index * 60 + 60, partitions: count }))
    .filter((one) => one.partitions > 0);

test('the fullest deadline says how many: partitions × proof time ÷ window, rounded up', () => {
  expect(gpusNeeded(miner([14, 3, 0, 5]), 10 * MINUTE)).toBe(Math.ceil((14 * 10) / 30));
  expect(gpusNeeded(miner([3]), 10 * MINUTE)).toBe(1);
  expect(gpusNeeded(miner([4]), 10 * MINUTE)).toBe(2);
});

test('nothing to prove needs nothing', () => {
  expect(gpusNeeded([], 10 * MINUTE)).toBe(0);
});

test('deadlines of two miners that fall together add up, those apart do not', () => {
  const one = miner([6]);
  expect(gpusNeeded([...one, ...miner([6])], 10 * MINUTE)).toBe(4);
  expect(gpusNeeded([...one, ...miner([6], 1_000)], 10 * MINUTE)).toBe(2);
});

test('the last deadline of a period falls together with the first of the next', () => {
  expect(gpusNeeded([...miner([6], 2_870), ...miner([6], -10)], 10 * MINUTE)).toBe(4);
});

const demands = fc.array(
  fc.record({ from: fc.nat(2_879), length: fc.integer({ min: 1, max: 80 }), partitions: fc.nat(100) }),
  { maxLength: 60 },
);
const asDemand = (all: readonly { from: number; length: number; partitions: number }[]): Demand[] =>
  all.map(({ from, length, partitions }) => ({ from, until: from + length, partitions }));

test('no deadline alone asks for more than all together, and more work never needs fewer', () => {
  fc.assert(
    fc.property(demands, fc.integer({ min: 1, max: 30 * MINUTE }), (all, proofMs) => {
      const demand = asDemand(all);
      const together = gpusNeeded(demand, proofMs);
      for (const one of demand) expect(gpusNeeded([one], proofMs)).toBeLessThanOrEqual(together);
      expect(gpusNeeded(demand, proofMs + MINUTE)).toBeGreaterThanOrEqual(together);
    }),
  );
});
