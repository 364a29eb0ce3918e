import { afterAll, beforeAll, expect, test } from 'vitest';
import { adoptTasks } from '../../src/queue/adopt-tasks.ts';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { cancelTask, closeTask } from '../../src/queue/cancel-task.ts';
import { endLostAttempts } from '../../src/queue/end-lost-attempts.ts';
import { type Failure, failAttempt } from '../../src/queue/fail-attempt.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { finishAttempts } from '../../src/queue/finish-attempts.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { joinSlaves } from '../../src/queue/join-slaves.ts';
import { listUnfinished } from '../../src/queue/list-unfinished.ts';
import { recordHeartbeats } from '../../src/queue/record-heartbeats.ts';
import { nowMs, nowSeconds } from '../../src/queue/sql-time.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import type { AttemptId } from '../../src/rpc/methods.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.drop());

const policy = { maxRetry: 2, retryIntervalMs: 10_000, heartbeatTimeoutMs: 15_000, progressTimeoutMs: 300_000 };
const transient: Failure = { class: 'transient', outcome: 'failed', reason: 'out of luck' };

let number = 0;
async function submitted(closeAt: number | null = null): Promise<{ id: string; task: ReturnType<typeof sampleTask> }> {
  const task = sampleTask(++number);
  const { id } = await submitTask(test_.db, { task, closeAt });
  return { id, task };
}

async function leased(id: string, slave = 'slave-1'): Promise<AttemptId> {
  const lastAttempt = (await getTask(test_.db.kysely, id))?.attempts ?? 0;
  const started = await startAttempt(test_.db, { id, slave, lastAttempt });
  if (started === null) throw new Error('not started');
  return started;
}

async function databaseTime(): Promise<number> {
  return (await test_.db.kysely.selectNoFrom(nowMs.as('now')).executeTakeFirstOrThrow()).now;
}

const state = async (id: string) => (await getTask(test_.db.kysely, id))?.state;

test('the same work is one row, and a proof its one answer', async () => {
  const { id, task } = await submitted();
  const again = await submitTask(test_.db, { task: { ...task, replicas: task.replicas.toReversed() }, closeAt: null });
  expect(again).toMatchObject({ id, state: 'waiting' });
  await finishAttempt(test_.db, await leased(id), SAMPLE_PROOF);
  expect(await submitTask(test_.db, { task, closeAt: null })).toMatchObject({
    state: 'proven',
    attempts: 1,
    output: SAMPLE_PROOF,
    error: null,
  });
});

test('twenty submissions at once are one row', async () => {
  const task = sampleTask(++number);
  const views = await Promise.all(Array.from({ length: 20 }, () => submitTask(test_.db, { task, closeAt: null })));
  expect(new Set(views.map((view) => view.id)).size).toBe(1);
  const tasks = await listUnfinished(test_.db);
  expect(tasks.filter((row) => row.id === views[0]?.id)).toHaveLength(1);
});

test.each(['failed', 'faulted', 'cancelled'] as const)(
  'a submission of a %s task opens it again, and its attempt numbers go on',
  async (end) => {
    const { id, task } = await submitted();
    const first = await leased(id);
    if (end === 'failed') await failAttempt(test_.db, first, { ...transient, class: 'permanent' }, policy);
    if (end === 'faulted') await finishAttempt(test_.db, first, SAMPLE_FAULTS);
    if (end === 'cancelled') await cancelTask(test_.db, id, 'tried');
    expect(await state(id)).toBe(end);
    expect(await submitTask(test_.db, { task, closeAt: null })).toMatchObject({
      state: 'waiting',
      retryCount: 0,
      output: null,
    });
    expect((await leased(id)).attempt).toBe(2);
    // The zombie of before the reset.
    const zombie = await finishAttempt(test_.db, first, SAMPLE_PROOF);
    expect(zombie).toMatchObject({ accepted: false, reason: expect.stringContaining('the attempt has ended') });
    expect(await state(id)).toBe('running');
  },
);

test('of masters that lease the same task at once, one wins', async () => {
  const { id } = await submitted();
  const leases = await Promise.all(
    Array.from({ length: 12 }, (_, index) => startAttempt(test_.db, { id, slave: `slave-${index}`, lastAttempt: 0 })),
  );
  const won = leases.filter((lease) => lease !== null);
  expect(won).toHaveLength(1);
  expect(await getTask(test_.db.kysely, id)).toMatchObject({ attempts: 1, state: 'running' });
});

test('a closed attempt is refused, cannot beat and changes nothing', async () => {
  const { id } = await submitted();
  const stale = await leased(id, 'slave-1');
  await failAttempt(test_.db, stale, { class: 'lost', outcome: 'lost', reason: 'silence' }, policy);
  const live = await leased(id, 'slave-2');
  expect((await finishAttempt(test_.db, stale, SAMPLE_PROOF)).accepted).toBe(false);
  expect((await failAttempt(test_.db, stale, transient, policy)).accepted).toBe(false);
  const beat = { id, attempt: stale.attempt, phase: 'proving' as const, done: 1, total: 2 };
  expect(await recordHeartbeats(test_.db, [{ ...beat, slave: 'slave-1' }])).toEqual([{ id, attempt: stale.attempt }]);
  const hello = { remote: '127.0.0.1:1', version: 2, slots: 1, sectorSize: null };
  const joined = await joinSlaves(
    test_.db,
    ['slave-2', 'slave-1'].map((name) => ({ name, ...hello })),
  );
  expect(joined.map((slave) => slave.live.filter((lease) => lease.id === id))).toEqual([[live], []]);
  expect(await getTask(test_.db.kysely, id)).toMatchObject({
    state: 'running',
    slave: 'slave-2',
    retryCount: 0,
    phase: null,
  });
  expect((await finishAttempt(test_.db, { id, attempt: 99 }, SAMPLE_PROOF)).reason).toBe('there is no such attempt');
});

test('the first proof wins and ends the others; faults beside a live attempt do not end the task', async () => {
  const { id } = await submitted();
  const attempts = [await leased(id, 'slave-1'), await leased(id, 'slave-2'), await leased(id, 'slave-3')] as const;
  expect(await finishAttempt(test_.db, attempts[0], SAMPLE_FAULTS)).toMatchObject({ accepted: true, ended: [] });
  expect(await state(id)).toBe('running');
  const won = await finishAttempt(test_.db, attempts[1], SAMPLE_PROOF);
  expect(won.ended).toEqual([{ id, attempt: 3, slave: 'slave-3', outcome: 'superseded' }]);
  expect((await finishAttempt(test_.db, attempts[2], SAMPLE_PROOF)).accepted).toBe(false);
  expect(await state(id)).toBe('proven');
});

test('the result of a task that somebody finished by hand is refused, alone or in a batch', async () => {
  const [byHand, beside] = [await submitted(), await submitted()];
  for (const { id } of [byHand, beside]) await leased(id);
  await test_.db.kysely.updateTable('tasks').set({ finished_at: nowSeconds }).where('id', '=', byHand.id).execute();
  const verdicts = await finishAttempts(
    test_.db,
    [byHand, beside].map(({ id }) => ({ id, attempt: 1, output: SAMPLE_PROOF })),
  );
  expect(verdicts.map(({ accepted }) => accepted)).toEqual([false, true]);
  const { outcome } = await test_.db.kysely
    .selectFrom('task_attempts')
    .select('outcome')
    .where('task_id', '=', byHand.id)
    .executeTakeFirstOrThrow();
  expect(outcome).toBe('superseded');
});

test('a slave that waits for memory makes progress', async () => {
  const { id } = await submitted();
  await leased(id);
  const beat = { id, attempt: 1, slave: 'slave-1', phase: 'waiting' as const, done: 0, total: 0 };
  await recordHeartbeats(test_.db, [beat]);
  const old = { heartbeat_at: 1, progress_at: 1 };
  await test_.db.kysely.updateTable('task_attempts').set(old).where('task_id', '=', id).execute();
  await recordHeartbeats(test_.db, [beat]);
  const row = await test_.db.kysely
    .selectFrom('task_attempts')
    .select(['progress_at', 'heartbeat_at'])
    .where('task_id', '=', id)
    .executeTakeFirstOrThrow();
  expect(Math.min(row.progress_at, row.heartbeat_at)).toBeGreaterThan(1);
});

test('without a Close, max_retry bounds the failures; a lost lease is none', async () => {
  const { id } = await submitted();
  const ends: (string | undefined)[] = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    await failAttempt(test_.db, await leased(id), { class: 'lost', outcome: 'lost', reason: 'silence' }, policy);
    await failAttempt(test_.db, await leased(id), transient, policy);
    ends.push(await state(id));
  }
  expect(ends).toEqual(['waiting', 'waiting', 'failed']);
  expect(await getTask(test_.db.kysely, id)).toMatchObject({ retryCount: 3, error: 'out of luck', attempts: 6 });
});

test('with a Close, time bounds the failures', async () => {
  const { id } = await submitted(Number.MAX_SAFE_INTEGER);
  for (let attempt = 1; attempt <= 5; attempt++) await failAttempt(test_.db, await leased(id), transient, policy);
  expect(await state(id)).toBe('waiting');
  const row = (await listUnfinished(test_.db)).find((task) => task.id === id);
  expect((row?.retryAt ?? 0) - (await databaseTime())).toBeGreaterThan(5_000);
  expect(row).toMatchObject({ retryElsewhere: false, lastSlave: 'slave-1', lastAttempt: 5, live: [] });
});

test("a slave's own failure lets others try at once", async () => {
  const { id } = await submitted();
  await failAttempt(test_.db, await leased(id), { ...transient, class: 'slave' }, policy);
  const tasks = await listUnfinished(test_.db);
  expect(tasks.find((task) => task.id === id)).toMatchObject({ retryElsewhere: true });
});

test('what was written before the clock was set back keeps no lease for longer than from then on', async () => {
  const { id } = await submitted();
  await leased(id);
  const times = test_.db.kysely.selectFrom('task_attempts').select(['heartbeat_at', 'progress_at']);
  const ahead = (await databaseTime()) + 600_000;
  const written = { heartbeat_at: ahead, progress_at: ahead };
  await test_.db.kysely.updateTable('task_attempts').set(written).where('task_id', '=', id).execute();
  // Before anybody may judge: the time that slaves have again begins now.
  await endLostAttempts(test_.db, policy, () => false);
  const row = await times.where('task_id', '=', id).executeTakeFirstOrThrow();
  const now = await databaseTime();
  expect(now - row.heartbeat_at).toBeGreaterThanOrEqual(0);
  expect(now - row.progress_at).toBeLessThan(60_000);
  expect(await state(id)).toBe('running');
});

test('a task is closed by the Close of its row and by the clock of the database', async () => {
  const { id } = await submitted((await databaseTime()) + 60_000);
  await leased(id);
  expect(await closeTask(test_.db, id)).toEqual({ cancelled: false, ended: [] });
  expect(await state(id)).toBe('running');
  const closeAt = await databaseTime();
  await test_.db.kysely.updateTable('task_details').set({ close_at: closeAt }).where('task_id', '=', id).execute();
  expect(await closeTask(test_.db, id)).toMatchObject({ cancelled: true, ended: [{ id, attempt: 1 }] });
  expect(await getTask(test_.db.kysely, id)).toMatchObject({ state: 'cancelled' });
});

test('silence and standing still end a lease; progress keeps it', async () => {
  const backdate = (id: string, columns: { heartbeat_at?: number; progress_at?: number }) =>
    test_.db.kysely.updateTable('task_attempts').set(columns).where('task_id', '=', id).execute();
  const [silent, stuck, fine] = [await submitted(), await submitted(), await submitted()];
  for (const { id } of [silent, stuck, fine]) await leased(id, `of-${id}`);
  for (const { id } of [silent, stuck, fine]) await backdate(id, { heartbeat_at: 1, progress_at: 1 });
  const beat = { attempt: 1, phase: 'reading' as const, done: 0, total: 2 };
  // The first beat names a phase, which is progress; the second one changes nothing.
  await recordHeartbeats(test_.db, [{ ...beat, id: stuck.id, slave: `of-${stuck.id}` }]);
  await backdate(stuck.id, { heartbeat_at: 1, progress_at: 1 });
  await recordHeartbeats(test_.db, [{ ...beat, id: stuck.id, slave: `of-${stuck.id}` }]);
  await recordHeartbeats(test_.db, [{ ...beat, id: fine.id, slave: `of-${fine.id}`, done: 1 }]);
  const ended = await endLostAttempts(test_.db, policy);
  const outcomes = new Map(ended.map((attempt) => [attempt.id, attempt.outcome]));
  expect([silent, stuck, fine].map(({ id }) => outcomes.get(id))).toEqual(['lost', 'timeout', undefined]);
  expect(await getTask(test_.db.kysely, silent.id)).toMatchObject({ state: 'waiting', retryCount: 0 });
  expect(await getTask(test_.db.kysely, stuck.id)).toMatchObject({ state: 'waiting', retryCount: 1 });
  expect(await getTask(test_.db.kysely, fine.id)).toMatchObject({
    state: 'running',
    phase: 'reading',
    done: 1,
    total: 2,
  });
});

test('cancelling ends all attempts', async () => {
  const { id } = await submitted();
  await leased(id, 'slave-1');
  const { cancelled, ended } = await cancelTask(test_.db, id, 'its deadline closed');
  expect(cancelled).toBe(true);
  expect(ended).toEqual([{ id, attempt: 1, slave: 'slave-1', outcome: 'cancelled' }]);
  expect(await getTask(test_.db.kysely, id)).toMatchObject({
    state: 'cancelled',
    error: 'cancelled: its deadline closed',
  });
  expect(await cancelTask(test_.db, id, 'again')).toEqual({ cancelled: false, ended: [] });
});

test('archiving moves what finished long ago; a proof is answered from there, a failure opened again', async () => {
  const [proven, failed, fresh] = [await submitted(), await submitted(), await submitted()];
  await finishAttempt(test_.db, await leased(proven.id), SAMPLE_PROOF);
  await failAttempt(test_.db, await leased(failed.id), { ...transient, class: 'permanent' }, policy);
  await finishAttempt(test_.db, await leased(fresh.id), SAMPLE_PROOF);
  const old = [proven.id, failed.id];
  await test_.db.kysely.updateTable('tasks').set({ finished_at: 1000 }).where('id', 'in', old).execute();
  expect(await archiveTasks(test_.db, 86_400_000)).toEqual({ changed: 2, leftOut: [] });
  expect(await archiveTasks(test_.db, 86_400_000)).toEqual({ changed: 0, leftOut: [] });
  const left = await test_.db.kysely
    .selectFrom('tasks')
    .select('id')
    .where('id', 'in', [...old, fresh.id])
    .execute();
  expect(left).toEqual([{ id: fresh.id }]);

  expect(await submitTask(test_.db, { task: proven.task, closeAt: null })).toMatchObject({
    state: 'proven',
    output: SAMPLE_PROOF,
  });
  expect(await submitTask(test_.db, { task: failed.task, closeAt: null })).toMatchObject({ state: 'waiting' });
  expect((await leased(failed.id)).attempt).toBe(2);
  await finishAttempt(test_.db, { id: failed.id, attempt: 2 }, SAMPLE_PROOF);
  await test_.db.kysely.updateTable('tasks').set({ finished_at: 1000 }).where('id', '=', failed.id).execute();
  expect(await archiveTasks(test_.db, 86_400_000)).toEqual({ changed: 1, leftOut: [] });
  expect(await state(failed.id)).toBe('proven');
});

test('rows of others are taken over: readable ones wait, unreadable ones fail with a code', async () => {
  const task = sampleTask(++number);
  const row = { created_at: 5, started_at: 6, slave: 'old', heartbeat_at: 7 };
  await test_.db.kysely
    .insertInto('tasks')
    .values([
      { ...row, id: 'f'.repeat(32), in_body: Buffer.from(JSON.stringify(task)) },
      { ...row, id: 'e'.repeat(32), in_body: Buffer.from([0, 1, 2]) },
    ])
    .execute();
  expect(await adoptTasks(test_.db)).toEqual({ changed: 3, leftOut: [] });
  expect(await adoptTasks(test_.db)).toEqual({ changed: 0, leftOut: [] });
  expect(await getTask(test_.db.kysely, 'f'.repeat(32))).toMatchObject({
    state: 'waiting',
    slave: 'old',
    createdAt: 5000,
  });
  expect(await getTask(test_.db.kysely, 'e'.repeat(32))).toMatchObject({
    state: 'failed',
    error: expect.stringContaining('bad-task'),
  });
  expect((await leased('f'.repeat(32))).attempt).toBe(1);
});
