import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../src/stores/fifo.ts';

test('gives back everything in the order in which it came', () => {
  const step = fc.oneof(
    fc.nat(3_000),
    fc.constantFrom('shift', 'all'),
    fc.nat(3_000).map((count) => -count),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let last = 0;
      for (const one of steps) {
        if (one === 'all') expect(fifo.takeAll()).toEqual(model.splice(0));
        else if (one === 'shift') expect(fifo.shift()).toBe(model.shift());
        else if (one < 0) for (let count = one; count < 0; count++) expect(fifo.shift()).toBe(model.shift());
        else {
          for (let count = 0; count < one; count++) {
            fifo.push(++last);
            model.push(last);
          }
        }
        expect(fifo.size).toBe(model.length);
      }
    }),
    { numRuns: 30 },
  );
});
