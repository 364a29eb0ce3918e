import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { databaseNow, openDatabase } from '../../src/database/database.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());

async function addTasks(...ids: string[]): Promise<void> {
  const rows = ids.map((id) => ({ id, in_body: Buffer.of(1), created_at: 1 }));
  await schema.db.kysely.insertInto('tasks').values(rows).execute();
}

const countUp = (id: string) => sql`UPDATE tasks SET retry_count = retry_count + 1 WHERE id = ${id}`;

test('a deadlock runs the whole transaction again, and nothing is done twice', async () => {
  await addTasks('left', 'right');
  let arrived = 0;
  let release = () => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  const update = (first: string, second: string) =>
    schema.db.transaction(async (trx) => {
      await countUp(first).execute(trx);
      if (++arrived === 2) release();
      await both;
      await countUp(second).execute(trx);
    });
  await Promise.all([update('left', 'right'), update('right', 'left')]);
  expect(arrived).toBeGreaterThan(2);
  const rows = await schema.db.kysely
    .selectFrom('tasks')
    .select('retry_count')
    .where('id', 'in', ['left', 'right'])
    .execute();
  expect(rows.map((row) => row.retry_count)).toEqual([2, 2]);
});

test('what a transaction throws undoes it', async () => {
  const work = schema.db.transaction(async (trx) => {
    await trx
      .insertInto('tasks')
      .values({ id: 'undone', in_body: Buffer.of(1), created_at: 1 })
      .execute();
    throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  expect(await schema.db.kysely.selectFrom('tasks').select('id').where('id', '=', 'undone').execute()).toEqual([]);
});

test('a fenced database checks first in every transaction, and what it checked holds until the commit', async () => {
  await addTasks('fence', 'fenced');
  const fenced = schema.db.fenced({
    statement: sql`SELECT retry_count FROM tasks WHERE id = 'fence' LOCK IN SHARE MODE`,
    judge(rows) {
      const [row] = rows as { readonly retry_count: number }[];
      if (row?.retry_count !== 0) throw new CodedError('not-leading', 'another one leads');
    },
  });
  const order: string[] = [];
  let replaced: Promise<void> | undefined;
  await fenced.transaction(async (trx) => {
    replaced = countUp('fence')
      .execute(schema.db.kysely)
      .then(() => void order.push('replaced'));
    await countUp('fenced').execute(trx);
    // Comes after the statement of the other connection, which therefore waits for this transaction.
    await sql`SELECT SLEEP(0.1)`.execute(trx);
    order.push('written');
  });
  await replaced;
  expect(order).toEqual(['written', 'replaced']);

  await expect(fenced.transaction((trx) => countUp('fenced').execute(trx))).rejects.toMatchObject({
    code: 'not-leading',
  });
  // What is sent along with the fence is undone, too.
  const along = sql`UPDATE tasks SET retry_count = retry_count + 1 WHERE id = 'fenced'`;
  await expect(fenced.transactionFrom([along], async () => {})).rejects.toMatchObject({ code: 'not-leading' });
  const row = schema.db.kysely.selectFrom('tasks').select('retry_count').where('id', '=', 'fenced');
  expect(await row.executeTakeFirst()).toEqual({ retry_count: 1 });
});

test('a connection that is cut is told as such, and the next statement has another one', async () => {
  const cut = schema.db.transaction(async (trx) => {
    const { rows } = await sql<{ id: number }>`SELECT CONNECTION_ID() AS id`.execute(trx);
    await sql.raw(`KILL ${rows[0]?.id}`).execute(schema.db.kysely);
    await sql`SELECT 1`.execute(trx);
  });
  await expect(cut).rejects.toMatchObject({ code: 'database-unavailable' });
  await sql`SELECT 1`.execute(schema.db.kysely);
});

test('sessions are READ COMMITTED, strict and in UTC; the clock is that of the server', async () => {
  const tooLong = { id: 'x'.repeat(33), in_body: Buffer.of(1), created_at: 1 };
  await expect(schema.db.kysely.insertInto('tasks').values(tooLong).execute()).rejects.toMatchObject({
    code: 'ER_DATA_TOO_LONG',
  });
  const { zone, now } = await schema.db.kysely
    .selectNoFrom([sql<string>`@@session.time_zone`.as('zone'), databaseNow.as('now')])
    .executeTakeFirstOrThrow();
  expect(zone).toBe('+00:00');
  expect(Math.abs(now - Date.now())).toBeLessThan(5_000);
});

test.each([
  ['no server', 'mysql://root@127.0.0.1:1/wdpost', 'database-unavailable', 'is the server running?'],
  ['no socket', 'mysql://root@localhost/wdpost?socketPath=/nowhere.sock', 'database-unavailable', '/nowhere.sock'],
  ['no such host', 'mysql://root@nowhere.invalid/wdpost', 'database-refused', 'host name'],
])('%s is told in a line', async (_, url, code, text) => {
  await expect(openDatabase(components, { url })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(text),
  });
});

test('a wrong password and a missing database are told in a line', async () => {
  const wrongPassword = schema.url.replace('root@', 'nobody:secret@');
  await expect(openDatabase(components, { url: wrongPassword })).rejects.toMatchObject({
    code: 'database-refused',
    message: expect.stringMatching(/^(?!.*secret).*password/),
  });
  const noDatabase = schema.url.replace(/\/test_\w+\?/, '/missing?');
  await expect(openDatabase(components, { url: noDatabase })).rejects.toMatchObject({
    code: 'database-refused',
    message: expect.stringContaining('CREATE DATABASE'),
  });
});
