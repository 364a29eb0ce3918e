import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { deadlineAt } from '../../src/filecoin/deadline.ts';
import { deadlinesToProve } from '../../src/poster/open-run.ts';
import { declarableDeadlines, lookInterval, recoveryMessages } from '../../src/poster/recoveries.ts';

const height = fc.integer({ min: 3000, max: 1_000_000 });

describe('recoveryMessages', () => {
  const found = fc.array(
    fc.record({
      deadline: fc.nat(47),
      partition: fc.nat(20),
      open: fc.nat(10_000),
      sectors: fc.uniqueArray(fc.nat(100_000), { maxLength: 50 }).map((numbers) => Bitfield.of(numbers)),
    }),
    { maxLength: 30 },
  );

  it('keeps to the limits and declares nothing twice', () => {
    fc.assert(
      fc.property(found, fc.nat(200), fc.nat(5), (recoverables, sectors, partitions) => {
        const messages = recoveryMessages(recoverables, { sectors, partitions });
        const declared = messages.flat();
        const total = declared.reduce((sum, one) => sum + Number(one.sectors.count), 0);
        const offered = recoverables.reduce((sum, one) => sum + Number(one.sectors.count), 0);
        expect(total).toBe(sectors === 0 ? offered : Math.min(offered, sectors));
        for (const message of messages) {
          expect(message.length).toBeGreaterThan(0);
          if (partitions > 0) expect(message.length).toBeLessThanOrEqual(partitions);
        }
      }),
    );
  });

  it('keeps a message under 25,000 sectors', () => {
    const sectors = Bitfield.of(Array.from({ length: 2349 }, (_, index) => index));
    const missed = Array.from({ length: 14 }, (_, partition) => ({ deadline: 3, partition, open: 100, sectors }));
    const counts = recoveryMessages(missed, { sectors: 0, partitions: 0 }).map((message) => message.length);
    expect(counts).toEqual([10, 4]);
  });
});

describe('deadlines', () => {
  it('are declared for from their close until their next cutoff, the nearest first', () => {
    fc.assert(
      fc.property(height, fc.nat(2879), (epoch, offset) => {
        const current = deadlineAt(offset, epoch);
        const declarable = declarableDeadlines(current);
        for (const deadline of declarable) {
          expect(epoch).toBeLessThan(deadline.open - 70);
          // The window before it has closed.
          expect(epoch).toBeGreaterThan(deadline.close - 2880);
        }
        expect(declarable.map(({ open }) => open)).toEqual(declarable.map(({ open }) => open).sort((a, b) => a - b));
        // All but the open one, the next, and that after it once its cutoff has passed.
        expect(new Set(declarable.map(({ index }) => index)).size).toBe(declarable.length);
        expect(declarable.length).toBeGreaterThanOrEqual(45);
        expect(declarable.length).toBeLessThanOrEqual(46);
        expect(declarable.some(({ index }) => index === current.index)).toBe(false);
      }),
    );
  });

  it('are looked at at least every 240 epochs, and every 10 from 240 before Open until the cutoff', () => {
    fc.assert(
      fc.property(height, fc.integer({ min: 71, max: 2_700 }), (epoch, before) => {
        const deadline = { ...deadlineAt(0, epoch), open: epoch + before };
        const looks: number[] = [];
        for (let at = epoch; at < deadline.open - 70; at += lookInterval(deadline, at)) looks.push(at);
        for (const [index, at] of looks.entries()) {
          const next = looks[index + 1] ?? deadline.open - 70;
          expect(next - at).toBeLessThanOrEqual(at >= deadline.open - 240 ? 10 : 240);
          if (at < deadline.open - 240) expect(next).toBeLessThanOrEqual(deadline.open - 240);
        }
      }),
    );
  });

  it('are each proven from Challenge + confidence until Close, without a gap', () => {
    fc.assert(
      fc.property(height, fc.nat(2879), fc.integer({ min: 1, max: 15 }), (epoch, offset, confidence) => {
        const due = deadlinesToProve(deadlineAt(offset, epoch), confidence);
        expect(due.length).toBeGreaterThanOrEqual(1);
        for (const deadline of due) {
          expect(epoch).toBeGreaterThanOrEqual(deadline.challenge + confidence);
          expect(epoch).toBeLessThan(deadline.close);
        }
        const open = due.find((deadline) => deadline.open <= epoch);
        expect(open).toBeDefined();
      }),
    );
  });
});
