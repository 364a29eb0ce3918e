import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MasterConfig } from '../../src/config/master-file.ts';
import type { RpcClient } from '../../src/rpc/rpc-client.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestMaster, type TestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter, type TestSlave, type TestSubmitter } from './test-peers.ts';

let schema: TestDatabase;
let master: TestMaster;
let submitter: TestSubmitter;
const clients: RpcClient[] = [];

beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await master.stop();
  await schema.drop();
});

async function start(task: Partial<MasterConfig['task']> = {}): Promise<void> {
  master = await startTestMaster(schema.url, task);
  submitter = await joinSubmitter(master.url);
  clients.push(submitter.client);
}

async function slave(name: string, init?: Parameters<typeof joinSlave>[2]): Promise<TestSlave> {
  const joined = await joinSlave(master.url, name, init);
  clients.push(joined.client);
  return joined;
}

const submit = (number: number, closeAt: number | null = null) =>
  submitter.client.call('task.submit', { task: sampleTask(number), closeAt });
const get = (id: string) => submitter.client.call('task.get', { id });
const BAD_PROOF = { ...SAMPLE_PROOF, proofs: [Buffer.alloc(192, 2).toString('base64')] };

test('a task is leased, shows its progress, is proven once, and answered from then on', async () => {
  await start();
  const { id } = await submit(1);
  expect(await get(id)).toMatchObject({ state: 'waiting', attempts: 0 });
  const worker = await slave('worker');
  const lease = await worker.starts.next();
  expect(lease).toMatchObject({ id, attempt: 1, closeAt: null, task: sampleTask(1) });
  expect(await worker.beat('proving', lease)).toEqual([]);
  expect(await get(id)).toMatchObject({ state: 'running', slave: 'worker', phase: 'proving', done: 1, total: 9999 });
  const verdict = await worker.client.call('attempt.finish', { id, attempt: 1, output: SAMPLE_PROOF });
  expect(verdict).toEqual({ accepted: true, reason: null });
  await submitter.changes.until((change) => change.id === id && change.state === 'proven');
  expect(await submit(1)).toMatchObject({ id, state: 'proven', output: SAMPLE_PROOF });
  // Its slot is free again.
  const { id: next } = await submit(2);
  expect(await worker.starts.next()).toMatchObject({ id: next, attempt: 1 });
});

test('a proof that does not verify is not stored, and another slave gets the task', async () => {
  await start();
  const first = await slave('first');
  const { id } = await submit(1);
  await first.starts.next();
  const second = await slave('second');
  const verdict = await first.client.call('attempt.finish', { id, attempt: 1, output: BAD_PROOF });
  expect(verdict).toEqual({ accepted: false, reason: expect.stringContaining('not valid') });
  expect(await second.starts.next()).toMatchObject({ id, attempt: 2 });
  expect(await get(id)).toMatchObject({ state: 'running', retryCount: 1, output: null });
});

test('faults finish the task; a fault of a sector that is not of the task is refused', async () => {
  await start();
  const worker = await slave('worker');
  const { id } = await submit(0);
  const lease = await worker.starts.next();
  const stranger = { ...SAMPLE_FAULTS, faults: [77] };
  expect(await worker.client.call('attempt.finish', { ...lease, output: stranger })).toMatchObject({ accepted: false });
  const again = await worker.starts.next();
  expect(await worker.client.call('attempt.finish', { ...again, output: SAMPLE_FAULTS })).toMatchObject({
    accepted: true,
  });
  expect(await get(id)).toMatchObject({
    state: 'faulted',
    output: SAMPLE_FAULTS,
    error: '1 sectors could not be read',
  });
});

test('a silent slave loses its lease to another, and its late result is refused', async () => {
  await start({ heartbeatTimeoutMs: 300 });
  const silent = await slave('silent');
  const { id } = await submit(1);
  const lease = await silent.starts.next();
  const other = await slave('other');
  expect(await other.starts.next()).toMatchObject({ id, attempt: 2 });
  expect(await silent.cancels.next()).toMatchObject({ id, attempt: 1, reason: 'lost' });
  const late = await silent.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(late).toEqual({ accepted: false, reason: expect.stringContaining('lost') });
  expect(await silent.beat('proving', lease)).toEqual([{ id, attempt: 1 }]);
  expect((await get(id))?.retryCount).toBe(0);
});

test('a slave that comes back without its lease loses it at once', async () => {
  await start({ heartbeatTimeoutMs: 3_600_000 });
  const before = await slave('worker');
  const { id } = await submit(1);
  // Answered after the start, so the lease stands.
  await before.beat('reading', await before.starts.next());
  await before.client.close();
  const after = await slave('worker');
  expect(await after.starts.next()).toMatchObject({ id, attempt: 2 });
});

test('a lease whose answer was lost with the connection stands', async () => {
  await start({ heartbeatTimeoutMs: 3_600_000 });
  const before = await slave('worker');
  const { id } = await submit(1);
  const lease = await before.starts.next();
  await before.client.close();
  await master.log.until((line) => line.msg === 'slave left');
  const after = await slave('worker', { working: [lease] });
  expect(await after.hellos.next()).toMatchObject({ closed: [] });
  expect(await after.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF })).toMatchObject({
    accepted: true,
  });
  expect(await get(id)).toMatchObject({ state: 'proven', attempts: 1 });
});

test('a slave that refuses is passed over until it tells its slots again', async () => {
  await start();
  await slave('a', { accepts: false });
  const { id } = await submit(1);
  await master.log.until((line) => line.msg === 'slave did not take the task');
  const willing = await slave('b');
  expect(await willing.starts.next()).toMatchObject({ id });
  expect((await get(id))?.retryCount).toBe(0);
});

test('a task that is proven for longer than task.timeout gets a competitor on a slave with nothing else to do', async () => {
  await start({ timeoutMs: 1_500 });
  const slow = await slave('slow', { slots: 2 });
  const { id } = await submit(1);
  const lease = await slow.starts.next();
  const fast = await slave('fast');
  const beats = setInterval(() => void slow.beat('proving', lease), 50);
  const second = await fast.starts.next().finally(() => clearInterval(beats));
  expect(second).toMatchObject({ id, attempt: 2 });
  expect(slow.starts.size).toBe(0);
  expect(await fast.client.call('attempt.finish', { ...second, output: SAMPLE_PROOF })).toMatchObject({
    accepted: true,
  });
  expect(await slow.cancels.next()).toMatchObject({ id, attempt: 1, reason: 'superseded' });
  expect(await get(id)).toMatchObject({ state: 'proven', attempts: 2, retryCount: 0 });
});

test('cancelling reaches the slave', async () => {
  await start();
  const worker = await slave('worker');
  const { id } = await submit(1);
  const lease = await worker.starts.next();
  expect(await submitter.client.call('task.cancel', { id, reason: 'not needed' })).toMatchObject({
    state: 'cancelled',
  });
  expect(await worker.cancels.next()).toMatchObject({ id, attempt: 1 });
  const late = await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(late).toMatchObject({ accepted: false });
  const { id: next } = await submit(2);
  expect(await worker.starts.next()).toMatchObject({ id: next });
});

test('what is open at Close is cancelled everywhere', async () => {
  await start();
  const worker = await slave('worker');
  const [running, waiting] = [await submit(1, Date.now() + 1_500), await submit(2, Date.now() + 1_500)];
  const lease = await worker.starts.next();
  expect(lease.id).toBe(running.id);
  expect(await worker.cancels.next()).toMatchObject({ id: running.id });
  await submitter.changes.until(({ state }) => state === 'cancelled');
  await submitter.changes.until(({ state }) => state === 'cancelled');
  expect(await get(waiting.id)).toMatchObject({ state: 'cancelled', error: 'cancelled: its deadline closed' });
});

test('a restart of the master costs no proof', async () => {
  await start();
  const worker = await slave('worker');
  await worker.hellos.next();
  const { id } = await submit(1);
  const lease = await worker.starts.next();
  worker.working.push(lease);
  await master.stop();
  master = await startTestMaster(schema.url, {}, master.port);
  expect(await worker.hellos.next()).toMatchObject({ closed: [] });
  const verdict = await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(verdict).toMatchObject({ accepted: true });
  expect(await get(id)).toMatchObject({ state: 'proven', attempts: 1 });
});

test('a task whose body was spoiled fails with a code', async () => {
  await start();
  const { id } = await submit(1);
  await schema.db.kysely
    .updateTable('tasks')
    .set({ in_body: Buffer.from('{') })
    .where('id', '=', id)
    .execute();
  // This one has the good body in memory.
  await master.stop();
  master = await startTestMaster(schema.url, {}, master.port);
  expect(await get(id)).toMatchObject({ state: 'waiting' });
  await slave('worker');
  await submitter.changes.until(({ state }) => state === 'failed');
  expect(await get(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('bad-task') });
});

test('a bad task is refused with its field', async () => {
  await start();
  const bad = { ...sampleTask(1), seed: [] };
  await expect(submitter.client.call('task.submit', { task: bad, closeAt: null })).rejects.toMatchObject({
    code: 'bad-task',
    message: expect.stringContaining('seed'),
  });
});
