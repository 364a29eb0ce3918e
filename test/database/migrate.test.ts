import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { createEmptySchema, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

let empty: TestDatabase;
beforeEach(async () => {
  empty = await createEmptySchema();
});
afterEach(() => empty.drop());

const SEED = new URL('../../sql/0001-seed-tables.sql', import.meta.url);

async function describeSeedTables(): Promise<unknown[]> {
  const described: unknown[] = [];
  for (const name of ['tasks', 'tasks_archived', 'tasks_view']) {
    const { rows } = await sql.raw<Record<string, string>>(`SHOW CREATE TABLE ${name}`).execute(empty.db.kysely);
    const [row] = rows;
    described.push(Object.values(row ?? {}).slice(0, 2));
    const columns = await sql`SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLLATION_NAME
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${name}
      ORDER BY ORDINAL_POSITION`.execute(empty.db.kysely);
    described.push(columns.rows);
  }
  return described;
}

async function runSeedText(): Promise<void> {
  const statements = (await readFile(SEED, 'utf8')).split(';').filter((part) => part.trim() !== '');
  for (const statement of statements) await sql.raw(statement).execute(empty.db.kysely);
}

test('makes all tables, and nothing the second time', async () => {
  const first = await migrate(empty.db);
  expect(first.slice(0, 2)).toEqual(['0001-seed-tables.sql', '0002-queue.sql']);
  expect(await migrate(empty.db)).toEqual([]);
});

test('four programs may start at once', async () => {
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(empty.db)));
  expect(new Set(applied.flat()).size).toBe(Math.max(...applied.map((names) => names.length)));
  expect(await migrate(empty.db)).toEqual([]);
});

test("the seed's tables are the seed's, made by us or by hand, and rows in them stay", async () => {
  await runSeedText();
  await sql`INSERT INTO tasks (id, in_body, created_at) VALUES ('a', 'body', 1)`.execute(empty.db.kysely);
  const byHand = await describeSeedTables();
  await migrate(empty.db);
  expect(await describeSeedTables()).toEqual(byHand);
  expect(await empty.db.kysely.selectFrom('tasks').select('id').execute()).toEqual([{ id: 'a' }]);

  const fresh = await createEmptySchema();
  try {
    await migrate(fresh.db);
    const name = new URL(fresh.url).pathname.slice(1);
    const old = new URL(empty.url).pathname.slice(1);
    await empty.drop();
    empty = fresh;
    expect(JSON.stringify(await describeSeedTables()).replaceAll(name, old)).toBe(JSON.stringify(byHand));
  } catch (error) {
    await fresh.drop();
    throw error;
  }
});

test('goes on where a program was killed between two statements', async () => {
  await migrate(empty.db);
  await sql`DELETE FROM schema_migrations WHERE name = '0002-queue.sql'`.execute(empty.db.kysely);
  await sql`DROP TABLE task_attempts`.execute(empty.db.kysely);
  await migrate(empty.db);
  const { rows } = await sql`SHOW TABLES LIKE 'task_attempts'`.execute(empty.db.kysely);
  expect(rows).toHaveLength(1);
});

test('another version of a file that was applied is refused', async () => {
  await migrate(empty.db);
  await empty.db.kysely
    .updateTable('schema_migrations')
    .set({ sha256: 'other' })
    .where('name', '=', '0002-queue.sql')
    .execute();
  await expect(migrate(empty.db)).rejects.toMatchObject({ code: 'migration-changed' });
});

test('gives way to a transaction that has read the table, names it, and goes on when it ended', async () => {
  await migrate(empty.db);
  await sql`ALTER TABLE post_partitions DROP COLUMN refused_proof`.execute(empty.db.kysely);
  await sql`DELETE FROM schema_migrations WHERE name = '0015-copies.sql'`.execute(empty.db.kysely);
  const program = await openDatabase(
    { clock: systemClock, logger: silentLogger },
    { url: empty.url, maxConnections: 1 },
  );
  const read = () => empty.db.kysely.selectFrom('post_partitions').select('run_id').execute();
  await empty.db.transaction(async (trx) => {
    await trx.selectFrom('post_partitions').select('run_id').execute();
    const error = migrate(program).catch((thrown: unknown) => thrown);
    expect(await error).toMatchObject({
      code: 'database-busy',
      message: expect.stringMatching(/0015-copies.sql waits \(ALTER TABLE post_partitions ADD COLUMN .*innodb_trx/),
    });
    await read();
  });
  expect(await migrate(program)).toEqual(['0015-copies.sql']);
  await sql`SELECT refused_proof FROM post_partitions`.execute(program.kysely);
  const { rows } = await sql`SELECT @@lock_wait_timeout = @@GLOBAL.lock_wait_timeout AS isLeft`.execute(program.kysely);
  expect(rows).toEqual([{ isLeft: 1 }]);
  await program.close();
});

test.each([
  ['post_partitions', 'refused_proofs'],
  ['post_partitions', 'took_ms'],
  ['post_runs', 'state_reason'],
])('a column that was dropped from %s is made again beside those that are there: %s', async (table, column) => {
  await migrate(empty.db);
  await sql.raw(`ALTER TABLE ${table} DROP COLUMN ${column}`).execute(empty.db.kysely);
  await migrate(empty.db, true);
  await sql.raw(`SELECT ${column} FROM ${table}`).execute(empty.db.kysely);
});
