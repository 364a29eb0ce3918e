import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutBatch } from '../../src/dispatch/cut-batch.ts';
import { joinOutputs } from '../../src/dispatch/join-outputs.ts';
import { canonicalTask } from '../../src/queue/window-post-task.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { batchTask } from './batch-task.ts';

const proofType = fc.constantFrom(
  { name: 'StackedDrgWindow2KiBV1_2', size: 2 },
  { name: 'StackedDrgWindow512MiBV1_2', size: 2 },
  { name: 'StackedDrgWindow32GiBV1_2', size: 2349 },
  { name: 'StackedDrgWindow64GiBV1_2', size: 2300 },
);
const sectors = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 60 });
const ascending = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);
const sectorsOf = (task: WindowPostTask): number[] => task.replicas.map((replica) => replica.sector_id);

test('chunks hold each sector once, ascending, full but the last, and all else as it was', () => {
  fc.assert(
    fc.property(sectors, proofType, (numbers, { name, size }) => {
      const task = { ...batchTask(numbers), proof_type: name };
      const chunks = cutBatch(task);
      expect(chunks.flatMap(sectorsOf)).toEqual(ascending(numbers));
      expect(chunks.slice(0, -1).every((chunk) => chunk.replicas.length === size)).toBe(true);
      for (const chunk of chunks) {
        expect(chunk.replicas.length).toBeLessThanOrEqual(size);
        expect({ ...chunk, replicas: [] }).toEqual({ ...task, replicas: [] });
        for (const replica of chunk.replicas) expect(task.replicas).toContain(replica);
      }
    }),
  );
});

test('order and repetition of sectors do not change the chunks', () => {
  fc.assert(
    fc.property(sectors, fc.infiniteStream(fc.nat()), (numbers, order) => {
      const shuffled = [...numbers, ...numbers]
        .map((number) => ({ number, key: order.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ number }) => number);
      const identity = (task: WindowPostTask) =>
        cutBatch(task).map((chunk) => Buffer.from(canonicalTask(chunk)).toString());
      expect(identity(batchTask(shuffled))).toEqual(identity(batchTask(numbers)));
    }),
  );
});

test('leaving out a sector keeps every chunk before it', () => {
  fc.assert(
    fc.property(sectors, fc.nat(), (numbers, which) => {
      const union = ascending(numbers);
      const left = union[which % union.length];
      const position = union.indexOf(left ?? -1);
      const rest = union.filter((sector) => sector !== left);
      fc.pre(rest.length > 0);
      const same = Math.floor(position / 2);
      const before = cutBatch(batchTask(union)).map(sectorsOf);
      const after = cutBatch(batchTask(rest)).map(sectorsOf);
      expect(after.slice(0, same)).toEqual(before.slice(0, same));
    }),
  );
});

test('a V1 request is one task, however many sectors', () => {
  const task = { ...batchTask([4, 3, 2, 1, 2, 5]), proof_type: 'StackedDrgWindow2KiBV1' };
  expect(cutBatch(task).map(sectorsOf)).toEqual([[1, 2, 3, 4, 5]]);
});

test('the same sector with another comm_r is refused', () => {
  const task = batchTask([1, 2]);
  const other = { ...batchTask([2]).replicas[0], comm_r: Array.from({ length: 32 }, () => 9) };
  expect(() => cutBatch({ ...task, replicas: [...task.replicas, other] as WindowPostTask['replicas'] })).toThrow(
    expect.objectContaining({ code: 'bad-task', message: expect.stringContaining('sector 2 of miner 1000') }),
  );
});

test('proofs are joined byte by byte in order', () => {
  const bytes = fc.uint8Array({ minLength: 192, maxLength: 192 });
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 5 }), (proofs) => {
      const outputs = proofs.map((proof) => ({ proofs: [Buffer.from(proof).toString('base64')], faults: [] }));
      const joined = joinOutputs(outputs);
      expect(joined.faults).toEqual([]);
      expect(joined.proofs.map((proof) => Buffer.from(proof, 'base64'))).toEqual([Buffer.concat(proofs)]);
    }),
  );
});

test.each([
  ['none', []],
  ['two', [Buffer.alloc(192), Buffer.alloc(192)]],
  ['half a', [Buffer.alloc(96)]],
  ['an empty', [Buffer.alloc(0)]],
])('%s proof of a chunk is refused', (_, proofs) => {
  const good = { proofs: [Buffer.alloc(192, 1).toString('base64')], faults: [] };
  const bad = { proofs: proofs.map((proof) => proof.toString('base64')), faults: [] };
  expect(() => joinOutputs([good, bad])).toThrow(
    expect.objectContaining({ code: 'bad-output', message: expect.stringContaining('chunk 2 of 2') }),
  );
});
