import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { MasterConfig } from '../../src/config/master-file.ts';
import { databaseNow } from '../../src/database/database.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestMaster, type TestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter, type TestSlave, type TestSubmitter } from './test-peers.ts';

const MINUTE_MS = 60_000;
/** What the wall clock of the master is ahead of the database's. */
let aheadMs: number;
const wrongClock = { ...systemClock, now: () => Date.now() + aheadMs };

let schema: TestDatabase;
let master: TestMaster;
let submitter: TestSubmitter;
let worker: TestSlave;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all([submitter.client.close(), worker.client.close()]);
  await master.stop();
  await schema.drop();
});

async function start(task: Partial<MasterConfig['task']> = {}): Promise<void> {
  master = await startTestMaster(schema.url, task, 0, undefined, wrongClock);
  submitter = await joinSubmitter(master.url);
  worker = await joinSlave(master.url, 'worker');
}

const submit = async (number: number, closesInMs: number) =>
  await submitter.client.call('task.submit', { task: sampleTask(number), closeAt: Date.now() + closesInMs });
const get = (id: string) => submitter.client.call('task.get', { id });
const differ = ({ msg }: { msg: string }) => msg.startsWith('the clocks of master and database differ');
const agree = ({ msg }: { msg: string }) => msg === 'the clocks of master and database agree again';

test('the clock of the master is set an hour ahead: it is alarmed, and only what is closed is cancelled', async () => {
  aheadMs = 0;
  await start();
  const { id } = await submit(1, 30 * MINUTE_MS);
  const lease = await worker.starts.next();
  const { id: waiting } = await submit(2, 30 * MINUTE_MS);
  const { id: closes } = await submit(3, 1_500);
  aheadMs = 60 * MINUTE_MS;
  expect(await master.log.until(differ)).toMatchObject({ databaseAheadMs: expect.any(Number), level: 50 });
  await submitter.changes.until((change) => change.id === closes && change.state === 'cancelled');
  expect([(await get(id))?.state, (await get(waiting))?.state]).toEqual(['running', 'waiting']);
  expect(worker.cancels.size).toBe(0);
  const verdict = await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(verdict).toMatchObject({ accepted: true });
  expect(await worker.starts.next()).toMatchObject({ id: waiting, attempt: 1 });
  aheadMs = 0;
  await master.log.until(agree);
});

test('a clock that is set is found out long before the next sweep, with nothing to prove', async () => {
  aheadMs = 0;
  await start({ retryJobIntervalMs: 60 * MINUTE_MS });
  aheadMs = -60 * MINUTE_MS;
  expect(await master.log.until(differ)).toMatchObject({ level: 50 });
});

test('the clock of the database is an hour ahead: what closes within the hour is alarmed and proven, behind the rest', async () => {
  aheadMs = -60 * MINUTE_MS;
  const sooner = await submitTask(schema.db, { task: sampleTask(1), closeAt: Date.now() - 30 * MINUTE_MS });
  const later = await submitTask(schema.db, { task: sampleTask(2), closeAt: Date.now() + 30 * MINUTE_MS });
  await start();
  expect(await worker.starts.next()).toMatchObject({ id: later.id });
  expect(await master.log.until(differ)).toMatchObject({ level: 50 });
  await worker.client.call('attempt.finish', { id: later.id, attempt: 1, output: SAMPLE_PROOF });
  const lease = await worker.starts.next();
  expect(lease).toMatchObject({ id: sooner.id });
  // To the slave it is open for as long as it is to the master.
  expect(lease.closesInMs).toBeGreaterThan(29 * MINUTE_MS);
  // The clock of the master was the wrong one.
  aheadMs = 0;
  await worker.cancels.until(({ id }) => id === sooner.id);
  await expect.poll(() => get(sooner.id)).toMatchObject({ error: 'cancelled: its deadline closed' });
});

test('a pause of the time before the clock of the database was set back is over', async () => {
  aheadMs = 0;
  const { id } = await submitTask(schema.db, { task: sampleTask(1), closeAt: null });
  const { now } = await schema.db.kysely.selectNoFrom(databaseNow.as('now')).executeTakeFirstOrThrow();
  await schema.db.kysely
    .updateTable('task_details')
    .set({ retry_at: now + 10 * MINUTE_MS })
    .execute();
  await start();
  expect(await worker.starts.next()).toMatchObject({ id, attempt: 1 });
});
