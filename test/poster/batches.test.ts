import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { chunkUnion } from '../../src/filecoin/partitions.ts';
import { batchPartitions } from '../../src/poster/batches.ts';
import { provenSectors } from '../../src/poster/run.ts';
import { partition } from './runs.ts';

const SIZE = 2;

it('keeps apart partitions that the verifier would cut differently', () => {
  const whole = partition(0);
  const short = partition(1, { skipped: Bitfield.of([2]) });
  expect(batchPartitions([whole, short, partition(2)], 3, SIZE)).toEqual([[0, 1], [2]]);
  const crossed = [partition(0, { sectors: Bitfield.of([0, 5]) }), partition(1, { sectors: Bitfield.of([1, 2]) })];
  expect(batchPartitions(crossed, 3, SIZE)).toEqual([[0], [1]]);
});

it('keeps to the lowest limit of the partitions that share', () => {
  const free = (index: number) => partition(index);
  const limited = partition(1, { messageLimit: 2 });
  expect(batchPartitions([free(0), limited, free(2), free(3)], 3, SIZE)).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(batchPartitions([free(0), partition(1, { messageLimit: 1 }), free(2)], 3, SIZE)).toEqual([[0], [1], [2]]);
  const recovering = partition(1, { recovering: Bitfield.of([2]), messageLimit: 3 });
  expect(batchPartitions([free(0), recovering, free(2)], 3, SIZE)).toEqual([[0], [1], [2]]);
});

it('cuts 14 full partitions into messages of the network limit or less', () => {
  const full = Array.from({ length: 14 }, (_, index) => partition(index));
  const sizes = (max: number) => batchPartitions(full, max, SIZE).map((batch) => batch.length);
  expect(sizes(3)).toEqual([3, 3, 3, 3, 2]);
  expect(sizes(2)).toEqual([2, 2, 2, 2, 2, 2, 2]);
});

it('puts every partition in one batch, of at most the limit, whose union cuts back into its partitions', () => {
  const sectors = fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 24 });
  fc.assert(
    fc.property(sectors, fc.integer({ min: 1, max: 4 }), fc.boolean(), (numbers, max, inOrder) => {
      const ordered = inOrder ? numbers.toSorted((a, b) => a - b) : numbers;
      const lists = Array.from({ length: Math.ceil(ordered.length / SIZE) }, (_, index) =>
        ordered.slice(SIZE * index, SIZE * index + SIZE),
      );
      const partitions = lists.map((list, index) => partition(index, { sectors: Bitfield.of(list) }));
      const batches = batchPartitions(partitions, max, SIZE);
      expect(batches.flat()).toEqual(partitions.map((one) => one.index));
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(max);
        const proven = batch.map((index) => [...provenSectors(partitions[index] ?? partition(index))]);
        expect(chunkUnion(proven.flat(), SIZE)).toEqual(proven);
      }
    }),
  );
});
