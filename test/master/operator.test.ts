import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { MasterConfig } from '../../src/config/master-file.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { startTestMaster, type TestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter, type TestSlave, type TestSubmitter } from './test-peers.ts';

let schema: TestDatabase;
let master: TestMaster;
let submitter: TestSubmitter;
let operator: RpcClient;
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
  operator = new RpcClient(
    { clock: systemClock, logger: silentLogger },
    { urls: [master.url], reconnectIntervalMs: 20, hello: () => ({ role: 'operator', name: 'ops' }) },
  );
  await operator.start();
  clients.push(submitter.client, operator);
}

async function slave(name: string, init?: Parameters<typeof joinSlave>[2]): Promise<TestSlave> {
  const joined = await joinSlave(master.url, name, init);
  clients.push(joined.client);
  return joined;
}

const submit = (number: number, closeAt: number | null = null) =>
  submitter.client.call('task.submit', { task: sampleTask(number), closeAt });
const finish = (worker: TestSlave, lease: { id: string; attempt: number }) =>
  worker.client.call('attempt.finish', { id: lease.id, attempt: lease.attempt, output: SAMPLE_PROOF });

test('a running task that is reset is stopped where it runs and starts again at once', async () => {
  await start();
  const worker = await slave('worker');
  const { id } = await submit(1);
  const lease = await worker.starts.next();
  expect(await operator.call('tasks.reset', { id: id.slice(0, 8) })).toMatchObject({ id, retryCount: 0 });
  expect(await worker.cancels.next()).toMatchObject({ id, attempt: 1, reason: 'cancelled' });
  expect(await worker.starts.next()).toMatchObject({ id, attempt: 2 });
  expect(await finish(worker, lease)).toMatchObject({ accepted: false });
  expect(await finish(worker, { id, attempt: 2 })).toMatchObject({ accepted: true });
  await expect(operator.call('tasks.reset', { id })).rejects.toMatchObject({ code: 'task-proven' });
});

test('a failed task that is reset runs again', async () => {
  await start({ maxRetry: 0 });
  const worker = await slave('worker');
  const { id } = await submit(1);
  const lease = await worker.starts.next();
  await worker.client.call('attempt.fail', { id, attempt: lease.attempt, class: 'permanent', reason: 'bad' });
  expect(await operator.call('tasks.show', { id })).toMatchObject({ state: 'failed', history: [{ reason: 'bad' }] });
  await operator.call('tasks.reset', { id });
  expect(await worker.starts.next()).toMatchObject({ id, attempt: 2 });
});

test('cancelling frees the slave; what is finished is not cancelled', async () => {
  await start();
  const worker = await slave('worker');
  const { id } = await submit(1);
  await worker.starts.next();
  expect(await operator.call('tasks.cancel', { id, reason: 'maintenance' })).toMatchObject({ state: 'cancelled' });
  expect(await worker.cancels.next()).toMatchObject({ id, attempt: 1 });
  await submitter.changes.until((change) => change.id === id && change.state === 'cancelled');
  await expect(operator.call('tasks.cancel', { id, reason: 'again' })).rejects.toMatchObject({ code: 'task-finished' });
  const { id: next } = await submit(2);
  expect(await worker.starts.next()).toMatchObject({ id: next });
});

test('running tasks are not removed, finished ones are, and archiving does not wait', async () => {
  await start();
  const worker = await slave('worker');
  const { id } = await submit(1);
  const lease = await worker.starts.next();
  await expect(operator.call('tasks.remove', { id })).rejects.toMatchObject({ code: 'task-unfinished' });
  await finish(worker, lease);
  expect(await operator.call('tasks.archive', {})).toEqual({ archived: 1 });
  expect(await operator.call('tasks.list', { limit: 9 })).toEqual([]);
  expect(await operator.call('tasks.list', { limit: 9, archived: true })).toMatchObject([{ id, state: 'proven' }]);
  expect(await operator.call('tasks.remove', { id })).toEqual({ removed: true });
  expect(await operator.call('tasks.show', { id })).toBeNull();
  expect(await operator.call('tasks.remove', { id })).toEqual({ removed: false });
});

test('a drained slave finishes what it has and gets nothing new, also after a restart of the master', async () => {
  await start();
  const worker = await slave('worker');
  const { id } = await submit(1);
  const lease = await worker.starts.next();
  expect(await operator.call('slaves.drain', { name: 'worker' })).toMatchObject({ state: 'draining', busy: 1 });
  const { id: waiting } = await submit(2);
  await finish(worker, lease);
  expect(await operator.call('slaves.list', {})).toMatchObject([{ name: 'worker', state: 'drained', busy: 0 }]);

  await master.stop();
  master = await startTestMaster(schema.url, {}, master.port);
  await worker.beat('reading');
  expect(await operator.call('slaves.list', {})).toMatchObject([{ name: 'worker', state: 'drained' }]);
  const other = await slave('other');
  expect(await other.starts.next()).toMatchObject({ id: waiting });
  const { id: third } = await submit(3);
  expect(worker.starts.size).toBe(0);
  expect(await operator.call('slaves.resume', { name: 'worker' })).toMatchObject({ state: 'ready' });
  expect(await worker.starts.next()).toMatchObject({ id: third });
  expect(id).not.toBe(third);
});

test('draining the last slave that works is an alarm in the log', async () => {
  await start();
  await slave('a');
  await slave('b');
  const alarm = 'no slave in service is ready to work, the last one was drained';
  await operator.call('slaves.drain', { name: 'a' });
  await operator.call('slaves.drain', { name: 'b' });
  expect(await master.log.until((line) => line.msg === alarm)).toMatchObject({ slave: 'b', level: 50 });
  expect(await operator.call('slaves.drain', { name: 'nobody' })).toBeNull();
  expect(await operator.call('slaves.resume', { name: 'nobody' })).toBeNull();
});

test('a slave that left is listed as away', async () => {
  await start();
  const worker = await slave('worker', { slots: 2 });
  expect(await operator.call('slaves.list', {})).toMatchObject([{ state: 'ready', slots: 2, leftAt: null }]);
  await worker.client.close();
  await expect
    .poll(() => operator.call('slaves.list', {}))
    .toMatchObject([{ name: 'worker', state: 'away', leftAt: expect.any(Number) }]);
});

test('a slave whose master was killed is away until it comes again', async () => {
  const row = { name: 'lost', remote: '192.0.2.1:9', version: 2, slots: 1, joined_at: 1 };
  await schema.db.kysely.insertInto('slaves').values(row).execute();
  await start();
  expect(await operator.call('slaves.list', {})).toMatchObject([{ name: 'lost', leftAt: expect.any(Number) }]);
});

test('only those who asked for a task hear of its end', async () => {
  await start();
  const bystander = await joinSubmitter(master.url);
  clients.push(bystander.client);
  const { id } = await submit(1);
  const worker = await slave('worker');
  await finish(worker, await worker.starts.next());
  expect(await submitter.changes.next()).toEqual({ id, state: 'proven' });
  const { id: later } = await submit(2);
  await bystander.client.call('task.get', { id: later });
  await finish(worker, await worker.starts.next());
  await submitter.changes.until((change) => change.id === later && change.state === 'proven');
  await bystander.changes.until((change) => change.state === 'proven');
  expect(bystander.changes.size).toBe(0);
});

test('the archive is kept to its retention', async () => {
  await start({ archiveJobIntervalMs: 50, shouldArchiveMs: 1_000, retentionMs: 1_000 });
  const worker = await slave('worker');
  const { id } = await submit(1);
  await finish(worker, await worker.starts.next());
  await master.log.until((line) => line.msg === 'archived tasks deleted, their retention is over');
  expect(await operator.call('tasks.show', { id })).toBeNull();
});
