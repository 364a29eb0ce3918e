import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestMaster, type TestMaster } from '../master/test-master.ts';
import { joinSlave, joinSubmitter } from '../master/test-peers.ts';
import { createEmptySchema, type TestDatabase } from '../support/database.ts';
import { makeSeedTables } from '../support/seed-tables.ts';
import { SAMPLE_PROOF, sampleTask } from './sample-task.ts';

// A database that masters of the system this one replaces have worked on: times in seconds, ids of their own, bodies in their own form.
const YESTERDAY = Math.floor(Date.now() / 1000) - 86_400;

interface Row {
  readonly id: string;
  readonly in_body: Buffer;
  readonly created_at: number;
  readonly [column: string]: unknown;
}

const row = (id: string, number: number, more: Record<string, unknown> = {}): Row => ({
  id: id.padEnd(32, '0'),
  in_body: Buffer.from(JSON.stringify(sampleTask(number), null, 2)),
  created_at: YESTERDAY,
  started_at: null,
  finished_at: null,
  retry_count: 0,
  error_reason: null,
  out_body: null,
  slave: null,
  heartbeat_at: null,
  ...more,
});

const WAITING = row('waiting', 1);
const RUNNING = row('running', 2, {
  started_at: YESTERDAY,
  slave: 'gpu-1',
  heartbeat_at: YESTERDAY + 5,
  retry_count: 1,
});
const PROVEN = row('proven', 3, {
  started_at: YESTERDAY,
  finished_at: YESTERDAY + 60,
  out_body: Buffer.from(JSON.stringify(SAMPLE_PROOF)),
  slave: 'gpu-1',
  heartbeat_at: YESTERDAY + 59,
});
const FAILED = row('failed', 4, {
  started_at: YESTERDAY,
  finished_at: YESTERDAY + 60,
  retry_count: 3,
  error_reason: 'read failed',
  slave: 'gpu-2',
  heartbeat_at: YESTERDAY + 59,
});
const UNREADABLE = { ...row('unreadable', 5), in_body: Buffer.from('{"kind":"of another program"}') };

let schema: TestDatabase;
let master: TestMaster;
beforeEach(async () => {
  schema = await createEmptySchema();
  await makeSeedTables(schema.db);
});
afterEach(async () => {
  await master.stop();
  await schema.drop();
});

async function insert(table: 'tasks' | 'tasks_archived', rows: readonly Row[]): Promise<void> {
  for (const one of rows) {
    const columns = sql.join(Object.keys(one).map((name) => sql.ref(name)));
    await sql`INSERT INTO ${sql.table(table)} (${columns}) VALUES (${sql.join(Object.values(one))})`.execute(
      schema.db.kysely,
    );
  }
}

const columnsOf = async (name: string) =>
  (await sql`SHOW FULL COLUMNS FROM ${sql.table(name)}`.execute(schema.db.kysely)).rows;
const rowsOf = async (name: 'tasks' | 'tasks_archived') =>
  (await schema.db.kysely.selectFrom(name).selectAll().orderBy('id').execute()) as readonly object[];
const taskOf = async (id: string) =>
  await schema.db.kysely.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

test('tables made by hand are adopted as they are, and what was unfinished is proven', async () => {
  await insert('tasks', [WAITING, RUNNING, PROVEN, FAILED, UNREADABLE]);
  await insert(
    'tasks_archived',
    [PROVEN, FAILED].map((one) => ({ ...one, id: one.id.replaceAll('0', '1') })),
  );
  const names = ['tasks', 'tasks_archived', 'tasks_view'];
  const before = await Promise.all(names.map(columnsOf));
  const archived = await rowsOf('tasks_archived');

  // Long-finished rows are archived by and by: not now.
  master = await startTestMaster(schema.url, { archiveJobIntervalMs: 3_600_000, shouldArchiveMs: 7 * 86_400_000 });
  const slave = await joinSlave(master.url, 'gpu-new', { slots: 2 });
  const submitter = await joinSubmitter(master.url);
  const leases = [await slave.starts.next(), await slave.starts.next()];
  expect(leases.map(({ id }) => id).sort()).toEqual([RUNNING.id, WAITING.id]);
  for (const { id, attempt, task } of leases) {
    expect(task).toEqual(sampleTask(id === WAITING.id ? 1 : 2));
    const output = SAMPLE_PROOF;
    expect(await slave.client.call('attempt.finish', { id, attempt, output })).toMatchObject({ accepted: true });
    const done = await taskOf(id);
    expect(JSON.parse(String(done.out_body))).toMatchObject(SAMPLE_PROOF);
    expect(done).toMatchObject({ error_reason: null, slave: 'gpu-new', created_at: YESTERDAY });
    expect(done.finished_at).toBeGreaterThan(YESTERDAY + 86_000);
  }
  expect((await taskOf(RUNNING.id)).retry_count).toBe(1);

  expect(await taskOf(PROVEN.id)).toEqual(PROVEN);
  expect(await taskOf(FAILED.id)).toEqual(FAILED);
  expect(await taskOf(UNREADABLE.id)).toMatchObject({ error_reason: expect.stringMatching(/^bad-task: /) });
  expect((await taskOf(UNREADABLE.id)).in_body).toEqual(UNREADABLE.in_body);
  expect(await rowsOf('tasks_archived')).toEqual(archived);
  expect(await Promise.all(names.map(columnsOf))).toEqual(before);

  // Ids of others are opaque, so a proof of theirs is no answer to the same work; and the view still reads.
  const again = await submitter.client.call('task.submit', { task: sampleTask(3), closeAt: null });
  expect(again.id).not.toBe(PROVEN.id);
  const view = await sql<{ created_at: string }>`SELECT * FROM tasks_view WHERE id = ${PROVEN.id}`.execute(
    schema.db.kysely,
  );
  expect(view.rows[0]?.created_at).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  await slave.client.close();
  await submitter.client.close();
});
