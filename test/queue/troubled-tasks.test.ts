import { afterEach, beforeEach, expect, test } from 'vitest';
import { databaseNow } from '../../src/database/database.ts';
import { endLostAttempts } from '../../src/queue/end-lost-attempts.ts';
import { type Failure, failAttempt } from '../../src/queue/fail-attempt.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { listUnfinished } from '../../src/queue/list-unfinished.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import type { AttemptId } from '../../src/rpc/methods.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sampleTask } from './sample-task.ts';

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

const policy = { maxRetry: 2, retryIntervalMs: 10_000, heartbeatTimeoutMs: 15_000, progressTimeoutMs: 300_000 };
const ofSlave: Failure = { class: 'slave', outcome: 'failed', reason: 'the prover failed' };
const CLOSE = Date.now() + 3_600_000;

async function leased(number: number, slave: string, lastAttempt = 0): Promise<AttemptId> {
  const { id } = await submitTask(schema.db, { task: sampleTask(number), closeAt: CLOSE });
  return (await startAttempt(schema.db, { id, slave, lastAttempt })) ?? { id, attempt: 0 };
}

test('a task that fails on one slave after the other rests everywhere, so that it goes round in no circle', async () => {
  const waiting = async () => (await listUnfinished(schema.db))[0];
  await failAttempt(schema.db, await leased(1, 'slave-1'), ofSlave, policy);
  expect(await waiting()).toMatchObject({ retryElsewhere: true, lastSlave: 'slave-1' });
  await failAttempt(schema.db, await leased(1, 'slave-2', 1), ofSlave, policy);
  expect(await waiting()).toMatchObject({ retryElsewhere: false, lastSlave: 'slave-2' });
  const { now } = await schema.db.kysely.selectNoFrom(databaseNow.as('now')).executeTakeFirstOrThrow();
  expect((await waiting())?.retryAt).toBeGreaterThan(now + 5_000);
  await schema.db.kysely.updateTable('task_details').set({ retry_at: 1 }).execute();
  await failAttempt(schema.db, await leased(1, 'slave-1', 2), ofSlave, policy);
  expect(await waiting()).toMatchObject({ retryElsewhere: true });
});

test('failures are counted as far as the column goes', async () => {
  const lease = await leased(1, 'slave-1');
  await schema.db.kysely.updateTable('tasks').set({ retry_count: 32_767 }).execute();
  expect(await failAttempt(schema.db, lease, ofSlave, policy)).toMatchObject({ accepted: true, state: 'waiting' });
});

test('a lease that cannot be ended keeps no other from it', async () => {
  const [first, second] = [await leased(1, 'slave-1'), await leased(2, 'slave-2')].toSorted((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  await schema.db.kysely.updateTable('task_attempts').set({ heartbeat_at: 1 }).execute();
  const { transaction } = schema.db;
  let calls = 0;
  const db = Object.create(schema.db, {
    transaction: {
      value: (...work: Parameters<typeof transaction>) =>
        ++calls === 1 ? Promise.reject(new Error('a row that cannot be written')) : transaction.apply(schema.db, work),
    },
    kysely: { value: schema.db.kysely },
  });
  expect(await endLostAttempts(db, policy)).toMatchObject([{ id: second?.id, outcome: 'lost' }]);
  expect(await endLostAttempts(schema.db, policy)).toMatchObject([{ id: first?.id, outcome: 'lost' }]);
});

test('a slave reports its own leases only', async () => {
  const lease = await leased(1, 'slave-1');
  const failure: Failure = { ...ofSlave, class: 'permanent' };
  expect(await failAttempt(schema.db, { ...lease, slave: 'slave-2' }, failure, policy)).toMatchObject({
    accepted: false,
    reason: 'it is the lease of another slave',
  });
  expect(await failAttempt(schema.db, { ...lease, slave: 'slave-1' }, failure, policy)).toMatchObject({
    accepted: true,
    state: 'failed',
  });
});

test('what a slave says of a failure cannot make it a cancellation', async () => {
  const failure: Failure = { class: 'permanent', outcome: 'failed', reason: 'cancelled: by nobody' };
  const lease = await leased(1, 'slave-1');
  await failAttempt(schema.db, lease, failure, policy);
  expect(await getTask(schema.db.kysely, lease.id)).toMatchObject({ state: 'failed' });
});

test('a submission without a Close that opens a finished task has none; a running task shows no former error', async () => {
  const lease = await leased(1, 'slave-1');
  await failAttempt(schema.db, lease, ofSlave, policy);
  await startAttempt(schema.db, { id: lease.id, slave: 'slave-2', lastAttempt: 1 });
  expect(await getTask(schema.db.kysely, lease.id)).toMatchObject({ state: 'running', error: null });
  await failAttempt(schema.db, { id: lease.id, attempt: 2 }, { ...ofSlave, class: 'permanent' }, policy);
  expect(await submitTask(schema.db, { task: sampleTask(1), closeAt: null })).toMatchObject({
    state: 'waiting',
    closeAt: null,
  });
});
