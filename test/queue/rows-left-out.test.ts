import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Operator } from '../../src/dispatch/operator.ts';
import { adoptTasks } from '../../src/queue/adopt-tasks.ts';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { startTestMaster } from '../master/test-master.ts';
import { joinSlave } from '../master/test-peers.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SAMPLE_PROOF, sampleTask } from './sample-task.ts';

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

const execute = (statement: string) => sql.raw(statement).execute(schema.db.kysely);
const body = (number: number) => Buffer.from(JSON.stringify(sampleTask(number)));
const idsOf = async (table: 'tasks' | 'tasks_archived') =>
  (await schema.db.kysely.selectFrom(table).select('id').orderBy('id').execute()).map(({ id }) => id);

async function insert(id: string, row: object): Promise<void> {
  await schema.db.kysely
    .insertInto('tasks')
    .values({ id, in_body: body(1), created_at: 5, ...row })
    .execute();
}

/** A program of the operator's watches over some rows. */
async function forbidUpdateOf(id: string): Promise<void> {
  await execute(`CREATE TRIGGER mine BEFORE UPDATE ON tasks FOR EACH ROW
    IF OLD.id = '${id}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this row is mine'; END IF`);
}

test('a finished row that tasks_archived cannot hold stays, and the others are archived', async () => {
  await execute('ALTER TABLE tasks_archived CONVERT TO CHARACTER SET latin1');
  await insert('1', { finished_at: 1, error_reason: '扇区读取失败' });
  await insert('2', { finished_at: 1, error_reason: 'read failed' });
  await insert('3', { finished_at: 1 });
  const leftOut = [{ id: '1', error: expect.stringContaining('Incorrect string value') }];
  expect(await archiveTasks(schema.db, 0)).toEqual({ changed: 2, leftOut });
  expect(await idsOf('tasks')).toEqual(['1']);
  expect(await idsOf('tasks_archived')).toEqual(['2', '3']);
});

test('a finished row that a table of the operator refers to stays, and the others are archived', async () => {
  await insert('1', { finished_at: 1 });
  await insert('2', { finished_at: 1 });
  await execute(
    'CREATE TABLE notes (task CHAR(32), FOREIGN KEY (task) REFERENCES tasks (id)) COLLATE utf8mb4_general_ci',
  );
  await execute("INSERT INTO notes VALUES ('1')");
  expect(await archiveTasks(schema.db, 0)).toMatchObject({ changed: 1, leftOut: [{ id: '1' }] });
  expect(await idsOf('tasks_archived')).toEqual(['2']);

  const logger = { info: () => {} } as never;
  const operator = new Operator({ db: schema.db, logger, leader: {} as never });
  await expect(operator.archive(undefined)).rejects.toMatchObject({
    code: 'tasks-not-archived',
    message: expect.stringMatching(/^0 tasks are archived, 1 cannot be: 1: /),
  });
});

test('a row that cannot be adopted keeps no other from it', async () => {
  await insert('1', { in_body: Buffer.from('junk') });
  await insert('2', { in_body: Buffer.from('junk') });
  await insert('3', { started_at: 5 });
  await forbidUpdateOf('1');
  const leftOut = [{ id: '1', error: 'this row is mine' }];
  expect(await adoptTasks(schema.db)).toEqual({ changed: 3, leftOut });
  expect(await adoptTasks(schema.db)).toEqual({ changed: 0, leftOut });
});

test('a master leads and proves beside rows that it cannot write, and names them once', async () => {
  await insert('1', { in_body: Buffer.from('junk') });
  await insert('2', { in_body: body(2) });
  await insert('3', { finished_at: 1, error_reason: '扇区读取失败' });
  await execute('ALTER TABLE tasks_archived CONVERT TO CHARACTER SET latin1');
  await forbidUpdateOf('1');
  const master = await startTestMaster(schema.url, {
    retryJobIntervalMs: 20,
    archiveJobIntervalMs: 20,
    shouldArchiveMs: 1_000,
  });
  const slave = await joinSlave(master.url, 'gpu-1', { slots: 1 });
  const { id, attempt } = await slave.starts.next();
  expect(id).toBe('2');
  const output = SAMPLE_PROOF;
  expect(await slave.client.call('attempt.finish', { id, attempt, output })).toMatchObject({ accepted: true });
  const told: object[] = [];
  for (let line = await master.log.next(); line.msg !== 'tasks archived'; line = await master.log.next()) {
    if ('ids' in line) told.push(line);
  }
  expect(told).toMatchObject([
    { msg: expect.stringContaining('cannot be taken over'), count: 1, ids: ['1'], error: 'this row is mine' },
    { msg: expect.stringContaining('cannot be moved to tasks_archived'), count: 1, ids: ['3'] },
  ]);
  await slave.client.close();
  await master.stop();
});
