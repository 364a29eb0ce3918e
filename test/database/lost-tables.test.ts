import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { waitForDatabase } from '../../src/database/wait-for-database.ts';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { sampleTask } from '../queue/sample-task.ts';
import { createEmptySchema, createTestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };

async function untilMade<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      expect(error).toMatchObject({ code: 'database-unavailable' });
    }
  }
}

test("a trigger's table that is gone is no loss of ours", async () => {
  const schema = await createTestDatabase();
  const losses: string[] = [];
  const db = await openDatabase(components, { url: schema.url, onIncomplete: () => losses.push('told') });
  for (const statement of [
    'CREATE TABLE my_log (id CHAR(32))',
    'CREATE TRIGGER keep_log AFTER DELETE ON tasks FOR EACH ROW INSERT INTO my_log VALUES (OLD.id)',
    'DROP TABLE my_log',
    "INSERT INTO tasks (id, in_body, created_at, finished_at) VALUES ('old', 'x', 1, 1)",
  ]) {
    await sql.raw(statement).execute(schema.db.kysely);
  }
  const leftOut = [{ id: 'old', error: expect.stringContaining(`.my_log' doesn't exist`) }];
  expect(await archiveTasks(db, 0)).toEqual({ changed: 0, leftOut });
  expect(losses).toEqual([]);
  await db.close();
  await schema.drop();
});

test('an emptied database has its tables again, a restored older one what it lacks', async () => {
  const schema = await createEmptySchema();
  const db = await waitForDatabase(components, { url: schema.url }, new AbortController().signal);
  if (db === undefined) throw new Error('no database');
  const submit = () => submitTask(db, { task: sampleTask(1), closeAt: null });
  await submit();
  const { rows } = await sql<{ name: string; type: string }>`
    SELECT table_name AS name, table_type AS type FROM information_schema.tables
    WHERE table_schema = DATABASE()`.execute(schema.db.kysely);
  for (const { name, type } of rows) {
    await sql.raw(`DROP ${type === 'VIEW' ? 'VIEW' : 'TABLE'} ${name}`).execute(schema.db.kysely);
  }
  await expect(submit()).rejects.toMatchObject({
    code: 'database-unavailable',
    message: expect.stringContaining('has lost tables'),
  });
  expect(await untilMade(submit)).toMatchObject({ state: 'waiting' });

  // Somebody wanted the space of one.
  await sql`DROP TABLE tasks_archived`.execute(schema.db.kysely);
  await sql`UPDATE tasks SET finished_at = 1, error_reason = 'failed'`.execute(schema.db.kysely);
  await expect(archiveTasks(db, 0)).rejects.toMatchObject({ code: 'database-unavailable' });
  await untilMade(() => archiveTasks(db, 0));
  expect(await schema.db.kysely.selectFrom('tasks_archived').select('id').execute()).toHaveLength(1);

  await sql`ALTER TABLE task_details DROP COLUMN stores`.execute(schema.db.kysely);
  await sql`DELETE FROM schema_migrations WHERE name > '0005'`.execute(schema.db.kysely);
  await sql`DELETE FROM tasks`.execute(schema.db.kysely);
  await sql`DELETE FROM task_details`.execute(schema.db.kysely);
  expect(await untilMade(submit)).toMatchObject({ state: 'waiting' });
  await db.close();
  await schema.drop();
});
