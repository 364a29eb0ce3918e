import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RpcClient } from '../../src/rpc/rpc-client.ts';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestMaster, type TestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter, type TestSlave } from './test-peers.ts';

let schema: TestDatabase;
let master: TestMaster;
let worker: TestSlave;
let one: RpcClient;
let other: RpcClient;
const clients: RpcClient[] = [];

async function submitter(): Promise<RpcClient> {
  const { client } = await joinSubmitter(master.url);
  clients.push(client);
  return client;
}

beforeEach(async () => {
  schema = await createTestDatabase();
  master = await startTestMaster(schema.url);
  worker = await joinSlave(master.url, 'worker');
  clients.push(worker.client);
  one = await submitter();
  other = await submitter();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await master.stop();
  await schema.drop();
});

const inHalfAnHour = () => Date.now() + 1_800_000;
const reason = 'the challenge changed';

test('a task is cancelled when the last of those who asked for it wants it no more', async () => {
  const { id } = await one.call('task.submit', { task: sampleTask(1), closeAt: inHalfAnHour() });
  await other.call('task.submit', { task: sampleTask(1), closeAt: inHalfAnHour() });
  await worker.starts.next();
  expect(await one.call('task.cancel', { id, reason })).toMatchObject({ state: 'running' });
  expect(await other.call('task.cancel', { id, reason })).toMatchObject({
    state: 'cancelled',
    error: 'cancelled: withdrawn: the challenge changed',
  });
  expect(await worker.cancels.next()).toMatchObject({ id });
});

test('an operator cancels it for all', async () => {
  const { id } = await one.call('task.submit', { task: sampleTask(1), closeAt: null });
  await other.call('task.submit', { task: sampleTask(1), closeAt: null });
  expect(await one.call('tasks.cancel', { id, reason: 'by hand' })).toMatchObject({ state: 'cancelled' });
});

test('a request of a foreign manager goes on where ours withdraws the same task', async () => {
  const answer = one.call('batch.prove', { task: sampleTask(1), closeAt: inHalfAnHour() });
  const lease = await worker.starts.next();
  const { id } = await other.call('task.submit', { task: sampleTask(1), closeAt: inHalfAnHour() });
  expect(id).toBe(lease.id);
  expect(await other.call('task.cancel', { id, reason })).toMatchObject({ state: 'running' });
  await worker.client.call('attempt.finish', { id, attempt: lease.attempt, output: SAMPLE_PROOF });
  expect(await answer).toEqual(SAMPLE_PROOF);
});

test('its Close is the latest that was asked for', async () => {
  const latest = inHalfAnHour();
  const { id } = await one.call('task.submit', { task: sampleTask(1), closeAt: latest });
  expect(await other.call('task.submit', { task: sampleTask(1), closeAt: latest - 1_700_000 })).toMatchObject({
    id,
    closeAt: latest,
  });
  expect(await other.call('task.submit', { task: sampleTask(1), closeAt: latest + 1 })).toMatchObject({
    closeAt: latest + 1,
  });
});

test('a master that has just begun to lead takes nothing away from those who have not come again yet', async () => {
  const { id } = await one.call('task.submit', { task: sampleTask(1), closeAt: inHalfAnHour() });
  await worker.starts.next();
  for (const client of clients.splice(0)) await client.close();
  await master.stop();
  master = await startTestMaster(schema.url);
  other = await submitter();
  await other.call('task.submit', { task: sampleTask(1), closeAt: inHalfAnHour() });
  await other.call('task.cancel', { id, reason });
  expect(await other.call('task.get', { id })).toMatchObject({ finishedAt: null });
});

test.each([-5, 0, 1.5, 9e15])('a Close of %d is refused', async (closeAt) => {
  await expect(one.call('task.submit', { task: sampleTask(1), closeAt })).rejects.toMatchObject({ code: 'bad-params' });
  await expect(one.call('batch.prove', { task: sampleTask(1), closeAt })).rejects.toMatchObject({ code: 'bad-params' });
});
