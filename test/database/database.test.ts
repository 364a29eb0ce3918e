import { type SqlBool, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { databaseNow, openDatabase } from '../../src/database/database.ts';
import { demand, demandRows, isUnmet } from '../../src/database/together.ts';
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
    demand: demand(
      sql<SqlBool>`COUNT(*) = 1`,
      sql`FROM tasks WHERE id = 'fence' AND retry_count = 0 LOCK IN SHARE MODE`,
    ),
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
  await expect(fenced.wholeTransaction([along])).rejects.toSatisfy(isUnmet);
  const row = schema.db.kysely.selectFrom('tasks').select('retry_count').where('id', '=', 'fenced');
  expect(await row.executeTakeFirst()).toEqual({ retry_count: 1 });
});

const retries = (id: string) => schema.db.kysely.selectFrom('tasks').select('retry_count').where('id', '=', id);

test('a whole transaction does all or nothing', async () => {
  await addTasks('whole', 'other');
  const [first, second] = await schema.db.wholeTransaction([countUp('whole'), sql`SELECT 7 AS seven`]);
  expect([first?.affected, second?.rows]).toEqual([1, [{ seven: 7 }]]);

  const missing = schema.db.wholeTransaction([countUp('whole'), countUp('missing'), demandRows(1), countUp('other')]);
  await expect(missing).rejects.toSatisfy(isUnmet);
  const broken = schema.db.wholeTransaction([countUp('whole'), sql`INSERT INTO tasks (id) VALUES ('whole')`]);
  await expect(broken).rejects.toMatchObject({ code: 'ER_NO_DEFAULT_FOR_FIELD' });
  // Had anything been left open, this would wait for its lock.
  await schema.db.wholeTransaction([countUp('other')]);
  expect(await retries('whole').executeTakeFirst()).toEqual({ retry_count: 1 });
  expect(await retries('other').executeTakeFirst()).toEqual({ retry_count: 1 });
});

test('rows that match count for a demand, changed or not', async () => {
  await addTasks('same');
  const same = sql`UPDATE tasks SET retry_count = 0 WHERE id = 'same'`;
  await schema.db.wholeTransaction([same, demandRows(1)]);
  await expect(schema.db.wholeTransaction([same, demandRows(0)])).rejects.toSatisfy(isUnmet);
});

test('a body of a whole transaction goes apart, and is undone with the rest', async () => {
  const body = Buffer.alloc(100_000, 7);
  const insert = (id: string) => sql`INSERT INTO tasks (id, in_body, created_at) VALUES (${id}, ${body}, 1)`;
  await schema.db.wholeTransaction([insert('body'), demandRows(1)]);
  await expect(schema.db.wholeTransaction([insert('body two'), demandRows(2)])).rejects.toSatisfy(isUnmet);
  const rows = await schema.db.kysely.selectFrom('tasks').select('in_body').where('id', 'like', 'body%').execute();
  expect(rows).toEqual([{ in_body: body }]);
});

test('what the fence of a whole transaction reads holds until its commit', async () => {
  await addTasks('whole fence', 'whole fenced');
  const fenced = schema.db.fenced({
    statement: sql`SELECT 1`,
    judge: () => {},
    demand: demand(
      sql<SqlBool>`COUNT(*) = 1`,
      sql`FROM tasks WHERE id = 'whole fence' AND retry_count = 0 LOCK IN SHARE MODE`,
    ),
  });
  // The server looks no oftener than every 100 ms.
  const poll = { interval: 120, timeout: 10_000 };
  const waiting = async (id: string) => {
    const { rows } = await sql`SELECT 1 FROM information_schema.innodb_trx
      WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ${`UPDATE%${id}%`}`.execute(schema.db.kysely);
    return rows.length;
  };
  const order: string[] = [];
  const ended: Promise<unknown>[] = [];
  const note = (what: string) => () => order.push(what);
  await schema.db.transaction(async (trx) => {
    await countUp('whole fenced').execute(trx);
    ended.push(fenced.wholeTransaction([countUp('whole fenced')]).then(note('written')));
    await expect.poll(() => waiting('whole fenced'), poll).toBe(1);
    // Another one behind the same fence goes its way.
    await fenced.wholeTransaction([sql`SELECT 1`]);
    ended.push(countUp('whole fence').execute(schema.db.kysely).then(note('replaced')));
    await expect.poll(() => waiting('whole fence'), poll).toBe(2);
  });
  await Promise.all(ended);
  expect(order).toEqual(['written', 'replaced']);
  await expect(fenced.wholeTransaction([countUp('whole fenced')])).rejects.toSatisfy(isUnmet);
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
