import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { failAttempt } from '../../src/queue/fail-attempt.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { listTasks } from '../../src/queue/list-tasks.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { strangers, taskIn, tasksOfEachState } from './each-state.ts';

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());
beforeEach(async () => {
  for (const table of ['tasks', 'tasks_archived', 'task_details', 'task_attempts', 'slaves'] as const) {
    await schema.db.kysely.deleteFrom(table).execute();
  }
});

async function view(name: string): Promise<Record<string, unknown>[]> {
  const { rows } = await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(name)}`.execute(schema.db.kysely);
  return rows;
}

const byId = async (name: string) => new Map((await view(name)).map((row) => [row.id, row]));
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);

test('tasks_state_view says every state in words', async () => {
  const tasks = await tasksOfEachState(schema.db);
  const rows = await byId('tasks_state_view');
  for (const [state, id] of tasks) {
    expect(rows.get(id)).toMatchObject({ state, sectors: 2, proof_type: 'StackedDrgWindow2KiBV1_2', created_at: TIME });
  }
  expect(rows.get(tasks.get('waiting') ?? '')).toMatchObject({ ran_s: null, attempts: 0, slave: null, close_at: null });
  expect(rows.get(tasks.get('running') ?? '')).toMatchObject({
    finished_at: null,
    started_at: TIME,
    attempts: 1,
    slave: 'slave-1',
  });
  expect(rows.get(tasks.get('cancelled') ?? '')).toMatchObject({ started_at: null, error: 'cancelled: not needed' });
  expect(rows.get(tasks.get('faulted') ?? '')).toMatchObject({
    finished_at: TIME,
    error: '1 sectors could not be read',
  });
  expect(Object.keys(rows.values().next().value ?? {})).not.toContain('in_body');
});

test('rows of the system before us are shown without details', async () => {
  await strangers(schema.db);
  const rows = await byId('tasks_state_view');
  expect(rows.get('seed-waiting')).toMatchObject({ state: 'waiting', miner_id: null, waited_s: expect.any(Number) });
  expect(rows.get('seed-running')).toMatchObject({ state: 'running', slave: 'old-slave', waited_s: 30 });
  expect(rows.get('seed-proven')).toMatchObject({ state: 'proven', ran_s: 20, waited_s: 30, attempts: 0 });
  expect(rows.get('seed-failed')).toMatchObject({ state: 'failed', error: 'gpu', retry_count: 3 });
});

test('durations and progress are of the newest attempt', async () => {
  const id = await taskIn(schema.db, 'running', 1, 2_000_000_000_000);
  await startAttempt(schema.db, { id, slave: 'slave-2', lastAttempt: 1 });
  await sql`UPDATE task_details SET queued_at = queued_at - 90000`.execute(schema.db.kysely);
  await sql`UPDATE tasks SET started_at = started_at - 30`.execute(schema.db.kysely);
  await sql`UPDATE task_attempts SET phase = 'reading', done = attempt, total = 9`.execute(schema.db.kysely);
  const [row] = await view('tasks_state_view');
  expect(row).toMatchObject({
    attempts: 2,
    slave: 'slave-2',
    phase: 'reading',
    progress: '2/9',
    close_at: '2033-05-18 03:33:20',
  });
  expect(Math.abs(Number(row?.waited_s) - 60)).toBeLessThanOrEqual(2);
  expect(Math.abs(Number(row?.ran_s) - 30)).toBeLessThanOrEqual(2);
});

test('a waiting task shows nothing of the attempt that ended before, in the view and in lists', async () => {
  const id = await taskIn(schema.db, 'running', 1);
  await sql`UPDATE task_attempts SET phase = 'proving', done = 7, total = 9`.execute(schema.db.kysely);
  const failure = { class: 'lost', outcome: 'lost', reason: 'gone' } as const;
  await failAttempt(schema.db, { id, attempt: 1 }, failure, { maxRetry: 1, retryIntervalMs: 0 });
  expect((await view('tasks_state_view'))[0]).toMatchObject({ state: 'waiting', phase: null, progress: null });
  const nothing = { state: 'waiting', phase: null, done: 0, total: 0 };
  expect(await getTask(schema.db.kysely, id)).toMatchObject(nothing);
  expect(await listTasks(schema.db.kysely, { limit: 9 })).toMatchObject([nothing]);
});

test('tasks_archived_view has the same columns and words', async () => {
  const tasks = await tasksOfEachState(schema.db);
  const [example] = await view('tasks_state_view');
  await archiveTasks(schema.db, 0);
  const rows = await byId('tasks_archived_view');
  expect([...rows.values()].map((row) => row.state).sort()).toEqual(['cancelled', 'failed', 'faulted', 'proven']);
  expect(rows.get(tasks.get('proven') ?? '')).toMatchObject({ state: 'proven', miner_id: 1000, attempts: 1 });
  expect(Object.keys([...rows.values()][0] ?? {})).toEqual(Object.keys(example ?? {}));
});

test('slaves_view says what each slave does', async () => {
  await taskIn(schema.db, 'running', 1);
  const base = {
    remote: '192.0.2.1:9',
    version: 2,
    slots: 2,
    sector_size: 34_359_738_368,
    joined_at: 1_700_000_000_000,
  };
  const rows = [
    { name: 'slave-1', left_at: null, drained: 1 },
    { name: 'b-drained', left_at: null, drained: 1 },
    { name: 'c-away', left_at: 1_700_000_060_000 },
    { name: 'd-held', left_at: null, held_until: 2_000_000_000_000 },
    { name: 'e-unready', left_at: null, slots: 0 },
    { name: 'f-ready', left_at: null, held_until: 1_000 },
  ];
  await schema.db.kysely
    .insertInto('slaves')
    .values(rows.map((row) => ({ ...base, ...row })))
    .execute();
  const found = new Map((await view('slaves_view')).map((row) => [row.name, row]));
  expect(found.get('slave-1')).toMatchObject({ state: 'draining', running: 1, last_heartbeat: TIME });
  expect(found.get('b-drained')).toMatchObject({ state: 'drained', running: 0, last_heartbeat: null });
  expect(found.get('c-away')).toMatchObject({ state: 'away', left_at: TIME });
  expect(found.get('d-held')).toMatchObject({ state: 'held back', held_until: '2033-05-18 03:33:20' });
  expect(found.get('e-unready')).toMatchObject({ state: 'not ready' });
  expect(found.get('f-ready')).toMatchObject({ state: 'ready', held_until: null, slots: 2 });
});
