import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { archiveTask, archiveTasks } from '../../src/queue/archive-tasks.ts';
import { pruneArchived, pruneCluster, pruneRemoved } from '../../src/queue/prune-archived.ts';
import { removeTask } from '../../src/queue/remove-task.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { finishedAgo, taskIn } from './each-state.ts';
import { sampleTask } from './sample-task.ts';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

async function count(table: 'tasks' | 'tasks_archived' | 'task_details' | 'task_attempts'): Promise<number> {
  return (await schema.db.kysely.selectFrom(table).select(sql`1`.as('one')).execute()).length;
}

/** Archived rows in bulk, half of them two hours old, with details and an attempt each. */
async function archive(rows: number): Promise<void> {
  const { kysely } = schema.db;
  const sequence = sql`(SELECT seq AS n FROM seq_1_to_${sql.raw(String(rows))}) AS numbers`;
  await sql`INSERT INTO tasks_archived (id, in_body, created_at, finished_at, out_body)
    SELECT MD5(n), REPEAT('x', 4000), 1, UNIX_TIMESTAMP() - IF(n % 2 = 0, 7200, 60), 'y' FROM ${sequence}`.execute(
    kysely,
  );
  await sql`INSERT INTO task_details (task_id, miner_id, proof_type, sector_count, queued_at)
    SELECT MD5(n), 1000, 'p', 1, 1 FROM ${sequence}`.execute(kysely);
  await sql`INSERT INTO task_attempts (task_id, attempt, slave, started_at, heartbeat_at, progress_at, ended_at)
    SELECT MD5(n), 1, 's', 1, 1, 1, 1 FROM ${sequence}`.execute(kysely);
}

test('details of a removed task go when they are old, those of a task that is there stay', async () => {
  const [removed, kept] = [await taskIn(schema.db, 'failed', 1), await taskIn(schema.db, 'failed', 2)];
  await removeTask(schema.db, removed);
  await pruneRemoved(schema.db, HOUR_MS, never);
  expect(await count('task_details')).toBe(2);
  await schema.db.kysely.updateTable('task_details').set({ queued_at: 1 }).execute();
  await pruneRemoved(schema.db, HOUR_MS, never);
  const left = await schema.db.kysely.selectFrom('task_details').select('task_id').execute();
  expect(left).toEqual([{ task_id: kept }]);
  expect(await count('task_attempts')).toBe(1);
});

test('archived tasks older than the retention go, with details and attempts', async () => {
  await archive(3_000);
  expect(await pruneArchived(schema.db, HOUR_MS, never)).toBe(1_500);
  expect(await pruneArchived(schema.db, HOUR_MS, never)).toBe(0);
  for (const table of ['tasks_archived', 'task_details', 'task_attempts'] as const) {
    expect(await count(table)).toBe(1_500);
  }
});

test('the history that was there before us stays', async () => {
  await archive(10);
  await schema.db.kysely
    .deleteFrom('task_details')
    .where('task_id', 'in', [sql<string>`MD5(1)`, sql<string>`MD5(2)`])
    .execute();
  expect(await pruneArchived(schema.db, HOUR_MS, never)).toBe(4);
  expect(await count('tasks_archived')).toBe(6);
});

test('it stops between two transactions and goes on later', async () => {
  await archive(1_000);
  const stopping = new AbortController();
  const reason = new Error('stop');
  const { db } = schema;
  const fenced = db.fenced({ statement: sql`SELECT 1`, judge: () => stopping.abort(reason), demand: sql`SELECT 1` });
  expect(await pruneArchived(fenced, HOUR_MS, stopping.signal)).toBe(50);
  expect(await pruneArchived(db, HOUR_MS, never)).toBe(450);
});

test('tasks that are not archived, or were asked for again, stay', async () => {
  const current = await taskIn(schema.db, 'proven', 1);
  const again = await taskIn(schema.db, 'failed', 2);
  await finishedAgo(schema.db, [current, again], 7_200);
  await archiveTask(schema.db, again);
  await submitTask(schema.db, { task: sampleTask(2), closeAt: null });
  expect(await pruneArchived(schema.db, HOUR_MS, never)).toBe(1);
  expect(await count('tasks_archived')).toBe(0);
  expect(await count('tasks')).toBe(2);
  expect(await startAttempt(schema.db, { id: again, slave: 'slave-2', lastAttempt: 1 })).toMatchObject({ attempt: 2 });
});

test('submissions of the same tasks at the same time lose nothing', async () => {
  const ids: string[] = [];
  for (let number = 1; number <= 60; number++) ids.push(await taskIn(schema.db, 'failed', number));
  await archiveTasks(schema.db, 0);
  await finishedAgo(schema.db, ids, 7_200);
  const [pruned, ...views] = await Promise.all([
    pruneArchived(schema.db, HOUR_MS, never),
    ...ids.map((_, index) => submitTask(schema.db, { task: sampleTask(index + 1), closeAt: null })),
  ]);
  expect(pruned).toBe(60);
  expect(views.every((view) => view.state === 'waiting')).toBe(true);
  expect(await count('tasks')).toBe(60);
  expect(await count('task_details')).toBe(60);
});

test('slaves, masters and challenges long gone are forgotten', async () => {
  const { kysely } = schema.db;
  const now = sql<number>`CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)`;
  const slave = { remote: '', version: 2, slots: 1, joined_at: 1 };
  await kysely
    .insertInto('slaves')
    .values([
      { name: 'gone', left_at: 1, ...slave },
      { name: 'away', left_at: now, ...slave },
      { name: 'here', left_at: null, ...slave },
    ])
    .execute();
  await kysely
    .insertInto('masters')
    .values([
      { name: 'gone', address: '', started_at: 1, seen_at: 0 },
      { name: 'here', address: '', started_at: 1, seen_at: now },
    ])
    .execute();
  await kysely
    .insertInto('proving_seeds')
    .values([
      { miner_id: 1, seed: 'old', first_seen_at: 1 },
      { miner_id: 1, seed: 'new', first_seen_at: now },
    ])
    .execute();
  await pruneCluster(schema.db, HOUR_MS);
  const names = async (table: 'slaves' | 'masters') =>
    (await kysely.selectFrom(table).select('name').orderBy('name').execute()).map(({ name }) => name);
  expect(await names('slaves')).toEqual(['away', 'here']);
  expect(await names('masters')).toEqual(['here']);
  expect(await kysely.selectFrom('proving_seeds').select('seed').execute()).toEqual([{ seed: 'new' }]);
});
