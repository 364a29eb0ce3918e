import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedQueue } from '../../src/dispatch/sorted-queue.ts';

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.constant('take first' as const) },
);

test('after any changes it is as a sorted array', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const queue = new SortedQueue<number>((a, b) => a - b);
      let sorted: number[] = [];
      for (const step of steps) {
        if (step === 'take first') {
          const first = queue.at(0);
          expect(first).toBe(sorted.shift());
          if (first !== undefined) queue.remove(first);
        } else if ('remove' in step) {
          queue.remove(step.remove);
          sorted = sorted.filter((item) => item !== step.remove);
        } else if (!sorted.includes(step.add)) {
          queue.add(step.add);
          sorted = [...sorted, step.add].sort((a, b) => a - b);
        }
        expect(queue.size).toBe(sorted.length);
      }
      expect([...queue]).toEqual(sorted);
      expect(sorted.map((_, index) => queue.at(index))).toEqual(sorted);
    }),
    { numRuns: 30 },
  );
});
