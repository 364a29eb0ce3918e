import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/database/migrate.ts';
import { adoptTasks } from '../../src/queue/adopt-tasks.ts';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { failAttempt } from '../../src/queue/fail-attempt.ts';
import { finishAttempts } from '../../src/queue/finish-attempts.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { listTasks } from '../../src/queue/list-tasks.ts';
import { listUnfinished } from '../../src/queue/list-unfinished.ts';
import { pruneArchived, pruneRemoved } from '../../src/queue/prune-archived.ts';
import { recordHeartbeats } from '../../src/queue/record-heartbeats.ts';
import { refuseProof } from '../../src/queue/refuse-proof.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { createEmptySchema, type TestDatabase } from '../support/database.ts';
import { makeSeedTables } from '../support/seed-tables.ts';
import { SAMPLE_PROOF, sampleTask } from './sample-task.ts';

const never = new AbortController().signal;
const policy = { maxRetry: 2, retryIntervalMs: 10_000 };
/** Longer than our own ids. */
const UUID = 'f47ac10b-58cc-4372-a567-0e02b2c3d479';
const FAILURE = { class: 'slave', outcome: 'failed', reason: '扇区 1 读取失败' } as const;

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createEmptySchema();
});
afterEach(() => schema.drop());

async function adopt(id: string, body: Buffer): Promise<void> {
  await schema.db.kysely.insertInto('tasks').values({ id, in_body: body, created_at: 5 }).execute();
}

// Where no collation is named, MySQL 8 and MariaDB from 11.5 on give one of utf8mb4 that is not the guide's.
test.each([
  'utf8mb4_general_ci',
  'utf8mb4_unicode_ci',
  'utf8mb4_unicode_520_ci',
  'utf8mb4_bin',
  'utf8mb3_general_ci',
  'latin1_swedish_ci',
  'gbk_chinese_ci',
  'ascii_bin',
])('tables made by hand in %s are adopted, and every step of a task works on them', async (collation) => {
  const { db } = schema;
  await makeSeedTables(db, { collation, id: 'VARCHAR(64)' });
  await adopt(UUID, Buffer.from(JSON.stringify(sampleTask(1))));
  await adopt('unreadable', Buffer.from([0x00, 0xff, 0xe6]));
  await migrate(db);
  expect(await adoptTasks(db)).toEqual({ changed: 2, leftOut: [] });
  expect(await adoptTasks(db)).toEqual({ changed: 0, leftOut: [] });
  expect(await getTask(db.kysely, 'unreadable')).toMatchObject({
    state: 'failed',
    error: expect.stringMatching(/^bad-task: /),
  });
  expect(await listUnfinished(db)).toMatchObject([{ id: UUID, sectorCount: sampleTask(1).replicas.length }]);

  const first = await startAttempt(db, { id: UUID, slave: 'gpu-1', lastAttempt: 0 });
  expect(first).toMatchObject({ attempt: 1 });
  await db.kysely.updateTable('tasks').set({ heartbeat_at: 1 }).execute();
  const beat = { id: UUID, attempt: 1, slave: 'gpu-1', phase: 'proving', done: 1, total: 2 } as const;
  expect(await recordHeartbeats(db, [beat])).toEqual([]);
  const beats = await db.kysely.selectFrom('tasks').select(['id', 'heartbeat_at']).orderBy('id').execute();
  expect(beats).toEqual([
    { id: UUID, heartbeat_at: expect.toSatisfy((at: number) => at > 1) },
    { id: 'unreadable', heartbeat_at: 1 },
  ]);
  expect(await failAttempt(db, { id: UUID, attempt: 1 }, FAILURE, policy)).toMatchObject({ state: 'waiting' });
  const told = /^(?:utf8|gbk)/.test(collation) ? FAILURE.reason : '?? 1 ????';
  expect(await getTask(db.kysely, UUID)).toMatchObject({ state: 'waiting', error: told });

  await startAttempt(db, { id: UUID, slave: 'gpu-2', lastAttempt: 1 });
  const output = SAMPLE_PROOF;
  expect(await finishAttempts(db, [{ id: UUID, attempt: 2, output }])).toMatchObject([{ state: 'proven' }]);
  expect(await submitTask(db, { task: sampleTask(2), closeAt: null })).toMatchObject({ state: 'waiting' });
  for (const view of ['tasks_view', 'tasks_state_view']) {
    const { rows } = await sql`SELECT * FROM ${sql.table(view)} WHERE id = ${UUID}`.execute(db.kysely);
    expect(rows).toHaveLength(1);
  }

  expect(await archiveTasks(db, 0)).toEqual({ changed: 2, leftOut: [] });
  const filter = { archived: true, states: ['proven'], limit: 10 } as const;
  expect(await listTasks(db.kysely, filter)).toMatchObject([{ id: UUID, attempts: 2, slave: 'gpu-2' }]);
  const proof = Buffer.from(SAMPLE_PROOF.proofs[0] ?? '', 'base64');
  expect(await refuseProof(db, { id: UUID, proof, reason: FAILURE.reason }, 1_000)).toBe(true);
  expect(await getTask(db.kysely, UUID)).toMatchObject({ error: `refused: ${told}` });

  await db.kysely.updateTable('tasks_archived').set({ finished_at: 1 }).execute();
  expect(await pruneArchived(db, 1_000, never)).toBe(1);
  await db.kysely.updateTable('task_details').set({ queued_at: 1 }).execute();
  await pruneRemoved(db, 1_000, never);
  expect(await db.kysely.selectFrom('task_details').select('task_id').execute()).toHaveLength(1);
});
