import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalTask, decodeTask, parseTask, taskId } from '../../src/queue/window-post-task.ts';
import { sampleTask } from './sample-task.ts';

/** One short. */
const bytes = Array.from({ length: 31 }, () => 7);
const idOf = (task: unknown) => taskId(canonicalTask(parseTask(task)));

test('the id of a task is stable over versions', () => {
  expect(Buffer.from(canonicalTask(sampleTask(1, 1))).toString()).toBe(
    `{"miner_id":1001,"proof_type":"StackedDrgWindow2KiBV1_2","replicas":[{"sector_id":10,"comm_r":[${Array(32).fill(0)}],` +
      `"cache_dir":"/store/cache/s-t01000-0","sealed_file":"/store/sealed/s-t01000-0"}],"seed":[${Array(32).fill(7)}]}`,
  );
  expect(idOf(sampleTask(1, 1))).toBe('89387aeed2b4331458f8ade74b5ebbc2');
});

test('order, repetition and the two masked bits do not make another task; anything else does', () => {
  const task = sampleTask(1, 5);
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...task.replicas], { minLength: 5 }),
      fc.array(fc.constantFrom(...task.replicas)),
      fc.constantFrom(0, 0x40, 0x80, 0xc0),
      (shuffled, repeated, bits) => {
        const seed = [...task.seed];
        seed[31] = 7 | bits;
        expect(idOf({ ...task, replicas: [...shuffled, ...repeated], seed })).toBe(idOf(task));
      },
    ),
  );
  expect(idOf({ ...task, miner_id: 1 })).not.toBe(idOf(task));
  expect(idOf({ ...task, replicas: task.replicas.slice(1) })).not.toBe(idOf(task));
  expect(idOf({ ...task, seed: task.seed.map((byte) => byte + 1) })).not.toBe(idOf(task));
});

test.each([
  [{ ...sampleTask(1), miner_id: '1001' }, "the task's miner_id"],
  [{ ...sampleTask(1), proof_type: 'StackedDrgWinning2KiBV1' }, "the task's proof_type: is no window PoSt proof type"],
  [{ ...sampleTask(1), replicas: [] }, "the task's replicas"],
  [{ ...sampleTask(1), replicas: null }, "the task's replicas"],
  [{ ...sampleTask(1), seed: [1, 2, 300] }, "the task's seed: must be 32 numbers from 0 to 255"],
  [{ ...sampleTask(1), replicas: [{ ...sampleTask(1).replicas[0], comm_r: [] }] }, "the task's replicas.0.comm_r"],
  [null, 'the task:'],
])('a bad task is told by its field', (task, text) => {
  expect(() => parseTask(task)).toThrow(
    expect.objectContaining({ code: 'bad-task', message: expect.stringContaining(text) }),
  );
});

test.each([
  [bytes],
  [[...bytes, 7, 7]],
  [[...bytes, 256]],
  [[...bytes, -1]],
  [[...bytes, 0.5]],
  [[...bytes, '7']],
  ['x'.repeat(32)],
])('a hash of %j is none', (comm_r) => {
  const [replica] = sampleTask(1).replicas;
  expect(() => parseTask({ ...sampleTask(1), replicas: [replica, { ...replica, comm_r }] })).toThrow(
    expect.objectContaining({ message: "the task's replicas.1.comm_r: must be 32 numbers from 0 to 255" }),
  );
});

test('a body that is no task has a code', () => {
  expect(() => decodeTask(Buffer.from('{'))).toThrow(expect.objectContaining({ code: 'bad-task' }));
  expect(() => decodeTask(Buffer.from('[]'))).toThrow(expect.objectContaining({ code: 'bad-task' }));
});
