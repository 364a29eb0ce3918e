import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../src/filecoin/address.ts';
import {
  deadlineAt,
  hasElapsed,
  isOpen,
  newDeadline,
  nextNotElapsed,
  nextOpen,
  provingPeriodOffset,
} from '../../src/filecoin/deadline.ts';
import { mainnetPolicy } from '../../src/filecoin/policy.ts';

const { provingPeriod, periodDeadlines } = mainnetPolicy;
const epochs = fc.integer({ min: -10_000, max: 10_000_000 });
const offsets = fc.nat({ max: provingPeriod - 1 });
const indices = fc.nat({ max: periodDeadlines - 1 });

test('every epoch lies in exactly one open deadline, and the next one opens where it closes', () => {
  fc.assert(
    fc.property(offsets, epochs, (offset, epoch) => {
      const deadline = deadlineAt(offset, epoch);
      expect(isOpen(deadline)).toBe(true);
      expect(deadline.index).toBeGreaterThanOrEqual(0);
      expect(deadline.index).toBeLessThan(periodDeadlines);
      expect(Math.abs((deadline.periodStart - offset) % provingPeriod)).toBe(0);
      const next = deadlineAt(offset, nextOpen(deadline));
      expect(next.open).toBe(deadline.close);
      expect(next.index).toBe((deadline.index + 1) % periodDeadlines);
    }),
  );
});

test('the next deadline of an index closes in the future, within a period, and stays until then', () => {
  fc.assert(
    fc.property(offsets, epochs, indices, (offset, epoch, index) => {
      const started = deadlineAt(offset, epoch).periodStart;
      const next = nextNotElapsed(newDeadline(started, index, epoch));
      expect(hasElapsed(next)).toBe(false);
      expect(next.close - epoch).toBeLessThanOrEqual(provingPeriod);
      expect(next.index).toBe(index);
      expect(nextNotElapsed(next)).toEqual(next);
    }),
  );
});

test('the periods of the 2k genesis miner t01001 start at 154', () => {
  const offset = provingPeriodOffset(parseAddress('t01001'), 0);
  expect(offset).toBe(154);
  expect(deadlineAt(offset, 0)).toMatchObject({ index: 45, periodStart: -2726 });
  expect(deadlineAt(provingPeriodOffset(parseAddress('t01000'), 0), 0).index).toBe(37);
});
