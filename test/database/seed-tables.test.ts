import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { checkSeedTables } from '../../src/database/check-seed-tables.ts';
import { waitForDatabase } from '../../src/database/wait-for-database.ts';
import { createEmptySchema, type TestDatabase } from '../support/database.ts';
import { makeSeedTables } from '../support/seed-tables.ts';
import { silentLogger } from '../support/silent-logger.ts';

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createEmptySchema();
  await makeSeedTables(schema.db);
});
afterEach(() => schema.drop());

const execute = (statement: string) => sql.raw(statement).execute(schema.db.kysely);

/** What a program that starts ends with. */
async function open(): Promise<void> {
  const db = await waitForDatabase(
    { clock: systemClock, logger: silentLogger },
    { url: schema.url },
    new AbortController().signal,
  );
  await db?.close();
}

test('tables that lack columns end the start with the statement that adds them', async () => {
  await execute('DROP VIEW tasks_view');
  await execute('ALTER TABLE tasks DROP COLUMN slave, DROP COLUMN heartbeat_at');
  await execute('ALTER TABLE tasks_archived DROP COLUMN out_body');
  const error: unknown = await open().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'database-tables-unfit',
    message:
      'the database has tables that cannot be used: tasks lacks slave, heartbeat_at: run `ALTER TABLE tasks ADD COLUMN slave ' +
      'VARCHAR(100) DEFAULT NULL, ADD COLUMN heartbeat_at BIGINT DEFAULT NULL`; tasks_archived lacks out_body: run `ALTER TABLE ' +
      'tasks_archived ADD COLUMN out_body LONGBLOB DEFAULT NULL`',
  });
  for (const [statement] of String(error).matchAll(/(?<=`)ALTER TABLE [^`]*/g)) await execute(statement);
  await open();
});

test.each([
  ['DROP COLUMN in_body, DROP COLUMN slave', 'tasks lacks in_body, slave, so it is a table of something else'],
  ['MODIFY in_body BLOB NOT NULL', 'tasks.in_body is blob: make it LONGBLOB NOT NULL'],
  ['MODIFY in_body LONGTEXT NOT NULL', 'tasks.in_body is longtext: make it LONGBLOB NOT NULL'],
  ['MODIFY created_at DATETIME NOT NULL', 'tasks.created_at is datetime: make it BIGINT NOT NULL'],
  ['MODIFY id VARCHAR(256) NOT NULL', 'tasks.id is varchar(256): make it VARCHAR(255) NOT NULL'],
  ['MODIFY id CHAR(31) NOT NULL', 'tasks.id is char(31): make it CHAR(32) NOT NULL'],
  ['MODIFY started_at BIGINT NOT NULL', 'tasks.started_at takes no NULL: make it BIGINT DEFAULT NULL'],
  ['MODIFY retry_count SMALLINT NOT NULL', 'tasks.retry_count has not the default 0'],
  ['DROP PRIMARY KEY', 'tasks.id is no key: make it the PRIMARY KEY'],
  ['ENGINE = MyISAM', 'tasks is MyISAM: make it a table of ENGINE = InnoDB'],
  ['ADD COLUMN owner INT NOT NULL', 'tasks.owner must have a value in each row'],
])('ALTER TABLE tasks %s ends the start in a line', async (change, message) => {
  await execute('DROP VIEW tasks_view');
  await execute(`ALTER TABLE tasks ${change}`);
  await expect(open()).rejects.toMatchObject({
    code: 'database-tables-unfit',
    message: expect.stringContaining(message),
  });
});

test.each([
  'MODIFY in_body MEDIUMBLOB NOT NULL',
  'MODIFY created_at INT UNSIGNED NOT NULL',
  'MODIFY id VARCHAR(64) NOT NULL',
  'ADD COLUMN note TEXT DEFAULT NULL, ADD COLUMN kind INT NOT NULL DEFAULT 1',
  'ADD COLUMN position BIGINT NOT NULL UNIQUE AUTO_INCREMENT',
])('ALTER TABLE tasks %s is put up with', async (change) => {
  await execute(`ALTER TABLE tasks ${change}`);
  await checkSeedTables(schema.db);
});

test('a table of the name of one of ours is told in a line', async () => {
  await execute('CREATE TABLE task_details (id INT PRIMARY KEY)');
  await expect(open()).rejects.toMatchObject({
    code: 'migration-failed',
    message: expect.stringMatching(/^sql\/\d{4}-[a-z-]+\.sql cannot be applied to the database: a table of this name/),
  });
});
