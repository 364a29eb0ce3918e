import { afterEach, beforeEach, expect, test } from 'vitest';
import { archiveTask, archiveTasks } from '../../src/queue/archive-tasks.ts';
import { findTaskId } from '../../src/queue/find-task-id.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { listTasks } from '../../src/queue/list-tasks.ts';
import { removeTask } from '../../src/queue/remove-task.ts';
import { resetTask } from '../../src/queue/reset-task.ts';
import { showTask } from '../../src/queue/show-task.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { taskStates } from '../../src/rpc/methods.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { strangers, taskIn, tasksOfEachState } from './each-state.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

const list = (filter: Partial<Parameters<typeof listTasks>[1]> = {}) =>
  listTasks(schema.db.kysely, { limit: 100, ...filter });
const state = async (id: string) => (await getTask(schema.db.kysely, id))?.state;

test('lists tasks by state and miner, archived ones apart, and no more than asked', async () => {
  const tasks = await tasksOfEachState(schema.db);
  await strangers(schema.db);
  expect(await list()).toHaveLength(10);
  for (const [wanted, id] of tasks) {
    const ids = (await list({ states: [wanted] })).map((task) => {
      expect(task.state).toBe(wanted);
      return task.id;
    });
    expect(ids).toContain(id);
  }
  const counts = await Promise.all(taskStates.map(async (one) => (await list({ states: [one] })).length));
  expect(counts.reduce((sum, count) => sum + count)).toBe(10);
  expect(await list({ states: ['waiting', 'failed'] })).toHaveLength(4);
  expect(await list({ minerId: 1002 })).toMatchObject([{ minerId: 1002, sectors: 2 }, { minerId: 1002 }]);
  expect(await list({ limit: 3 })).toHaveLength(3);
  expect(await list({ archived: true })).toEqual([]);
  expect(await archiveTasks(schema.db, 0)).toEqual({ changed: 6, leftOut: [] });
  expect((await list()).map((task) => task.state).sort()).toEqual(['running', 'running', 'waiting', 'waiting']);
  expect(await list({ archived: true, states: ['proven'] })).toHaveLength(2);
});

test('a running task is listed with its slave and progress, the newest task first', async () => {
  const old = await taskIn(schema.db, 'waiting', 1);
  await schema.db.kysely.updateTable('tasks').set({ created_at: 1_700_000_000 }).execute();
  const id = await taskIn(schema.db, 'running', 2, 4_000_000_000_000);
  await schema.db.kysely.updateTable('task_attempts').set({ phase: 'reading', done: 7, total: 9 }).execute();
  const [first, second] = await list();
  expect(first).toMatchObject({
    id,
    state: 'running',
    slave: 'slave-1',
    phase: 'reading',
    done: 7,
    total: 9,
    attempts: 1,
  });
  expect(first?.closeAt).toBe(4_000_000_000_000);
  expect(second).toMatchObject({ id: old, createdAt: 1_700_000_000_000, attempts: 0, slave: null, phase: null });
});

test('a task is shown with its attempts, archived or not', async () => {
  const id = await taskIn(schema.db, 'faulted', 1);
  expect(await showTask(schema.db.kysely, id)).toMatchObject({
    id,
    state: 'faulted',
    archived: false,
    minerId: 1001,
    sectors: 2,
    proofType: 'StackedDrgWindow2KiBV1_2',
    output: SAMPLE_FAULTS,
    history: [{ attempt: 1, slave: 'slave-1', outcome: 'faulted', reason: '1 sectors could not be read' }],
  });
  await archiveTask(schema.db, id);
  expect(await showTask(schema.db.kysely, id)).toMatchObject({ archived: true, history: [{ attempt: 1 }] });
  await strangers(schema.db);
  expect(await showTask(schema.db.kysely, 'seed-failed')).toMatchObject({
    state: 'failed',
    minerId: null,
    history: [],
  });
  expect(await showTask(schema.db.kysely, 'none')).toBeNull();
});

test('ids are found by their beginning where that is enough', async () => {
  const db = schema.db.kysely;
  for (const id of ['abc1', 'abc2', 'abd', 'a%']) {
    await db.insertInto('tasks').values({ id, in_body: Buffer.of(), created_at: 1 }).execute();
  }
  await db.insertInto('tasks_archived').values({ id: 'abc', in_body: Buffer.of(), created_at: 1 }).execute();
  expect(await findTaskId(db, 'abd')).toBe('abd');
  expect(await findTaskId(db, 'abc2')).toBe('abc2');
  expect(await findTaskId(db, 'a%')).toBe('a%');
  expect(await findTaskId(db, 'abc')).toBe('abc');
  expect(await findTaskId(db, 'x')).toBeNull();
  expect(await findTaskId(db, 'a_c1')).toBeNull();
  await expect(findTaskId(db, 'ab')).rejects.toMatchObject({ code: 'ambiguous-id' });
});

test.each(['running', 'faulted', 'failed', 'cancelled', 'waiting'] as const)(
  'a %s task that is reset waits again, and its attempt numbers go on',
  async (before) => {
    const id = await taskIn(schema.db, before, 1);
    const reset = await resetTask(schema.db, id);
    expect(reset?.ended).toEqual(
      before === 'running' ? [{ id, attempt: 1, slave: 'slave-1', outcome: 'cancelled' }] : [],
    );
    const view = await getTask(schema.db.kysely, id);
    expect(view).toMatchObject({ state: 'waiting', retryCount: 0, error: null, output: null });
    const lastAttempt = view?.attempts ?? 0;
    const lease = await startAttempt(schema.db, { id, slave: 'slave-2', lastAttempt });
    expect(lease).toMatchObject({ attempt: before === 'waiting' || before === 'cancelled' ? 1 : 2 });
    // What the first slave brings now is too late.
    if (before === 'running') {
      expect(await finishAttempt(schema.db, { id, attempt: 1 }, SAMPLE_PROOF)).toMatchObject({ accepted: false });
      expect(await state(id)).toBe('running');
    }
  },
);

test('what a reset would not help is refused with a reason', async () => {
  const proven = await taskIn(schema.db, 'proven', 1);
  await expect(resetTask(schema.db, proven)).rejects.toMatchObject({ code: 'task-proven' });
  const late = await taskIn(schema.db, 'failed', 2, 1_000);
  await expect(resetTask(schema.db, late)).rejects.toMatchObject({ code: 'deadline-closed' });
  const archived = await taskIn(schema.db, 'failed', 3);
  await archiveTask(schema.db, archived);
  await expect(resetTask(schema.db, archived)).rejects.toMatchObject({ code: 'task-archived' });
  expect(await resetTask(schema.db, 'none')).toBeNull();
  expect(await state(proven)).toBe('proven');
});

test.each(['waiting', 'running'] as const)('a %s task is not removed', async (unfinished) => {
  const id = await taskIn(schema.db, unfinished, 1);
  await expect(removeTask(schema.db, id)).rejects.toMatchObject({
    code: 'task-unfinished',
    message: expect.stringContaining('cancel it first'),
  });
  expect(await state(id)).toBe(unfinished);
});

test('a removed task is gone, archived or not; asked for again, its attempt numbers go on', async () => {
  const id = await taskIn(schema.db, 'failed', 1);
  await archiveTask(schema.db, id);
  await submitTask(schema.db, { task: sampleTask(1), closeAt: null });
  await expect(removeTask(schema.db, id)).rejects.toMatchObject({ code: 'task-unfinished' });
  const lease = await startAttempt(schema.db, { id, slave: 'slave-1', lastAttempt: 1 });
  await finishAttempt(schema.db, lease ?? { id, attempt: 0 }, SAMPLE_PROOF);
  expect(await removeTask(schema.db, id)).toBe(true);
  expect(await getTask(schema.db.kysely, id)).toBeNull();
  expect(await removeTask(schema.db, id)).toBe(false);
  expect(await submitTask(schema.db, { task: sampleTask(1), closeAt: null })).toMatchObject({
    id,
    state: 'waiting',
    attempts: 2,
  });
});
