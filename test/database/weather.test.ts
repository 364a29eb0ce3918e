import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { errorCode } from '../../src/errors/coded-error.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { Pairs } from './pairs.ts';

const components = { clock: systemClock, logger: silentLogger };

let home: string;
let server: EmbeddedDatabase;
/** Somebody who administers the server. */
let root: Database;
/** As a program has it: a user without SUPER, whom `read_only` concerns. */
let db: Database;
let url: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wdpost-weather-'));
  await start();
  root = await openDatabase(components, { url: server.url });
  url = server.url.replace('root@', 'wdpost:secret@');
  await execute(root, "CREATE USER wdpost@localhost IDENTIFIED BY 'secret'");
  await execute(root, 'GRANT ALL ON wdpost.* TO wdpost@localhost');
  db = await openDatabase(components, { url });
});
afterAll(async () => {
  await db.close();
  await root.close();
  await server.stop();
  await rm(home, { recursive: true });
});

async function start(): Promise<void> {
  server = await startEmbeddedDatabase(components, { dataDir: join(home, 'database') });
}

async function execute(database: Database, statement: string): Promise<void> {
  await sql.raw(statement).execute(database.kysely);
}

const unavailable = { code: 'database-unavailable' };

test.each(['SIGTERM', 'SIGKILL'] as const)('a server ended by %s while transactions run', async (signal) => {
  const pairs = await Pairs.create(db);
  const work = pairs.addUntil((failure) => errorCode(failure) === 'database-unavailable');
  await pairs.until(50);
  const gone = once(server.process, 'exit');
  server.process.kill(signal);
  await Promise.all([gone, work]);
  await expect(pairs.add()).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining('is the server'),
  });
  await start();
  await pairs.add();
  expect(await pairs.damage()).toEqual([]);
});

test('a server that stands still holds its callers, and loses nothing', async () => {
  const pairs = await Pairs.create(db);
  server.process.kill('SIGSTOP');
  const added = pairs.add();
  const first = await Promise.race([added, systemClock.sleep(300)]);
  expect(first).toBeUndefined();
  expect(pairs.acknowledged.size).toBe(0);
  server.process.kill('SIGCONT');
  await added;
  expect(await pairs.damage()).toEqual([]);
});

test('a server that is read-only for a while refuses writes, on old connections and new ones', async () => {
  const pairs = await Pairs.create(db);
  await execute(root, 'SET GLOBAL read_only = 1');
  for (let times = 0; times < 3; times++) {
    await expect(pairs.add()).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/is read-only$/),
    });
  }
  await expect(openDatabase(components, { url })).rejects.toMatchObject(unavailable);
  await execute(root, 'SET GLOBAL read_only = 0');
  await pairs.add();
  expect(await pairs.damage()).toEqual([]);
});

test('connections that are killed again and again while transactions run', async () => {
  const pairs = await Pairs.create(db);
  const done = new AbortController();
  const failures: unknown[] = [];
  const work = Array.from({ length: 4 }, () => pairs.addUntil(() => done.signal.aborted, failures));
  for (let round = 0; round < 10; round++) {
    await pairs.until(pairs.acknowledged.size + 20);
    await execute(root, 'KILL USER wdpost@localhost').catch(() => {});
  }
  done.abort();
  await Promise.all(work);
  expect(failures.length).toBeGreaterThan(0);
  for (const failure of failures) expect(failure).toMatchObject(unavailable);
  await pairs.add();
  expect(await pairs.damage()).toEqual([]);
});

test('a lock that is not given in time: the whole transaction again, and refused when that does not help', async () => {
  const pairs = await Pairs.create(db);
  const id = await pairs.add();
  const held = new EventQueue<boolean>();
  const release = new EventQueue<boolean>();
  const hold = (until: () => Promise<unknown>) =>
    root.transaction(async (trx) => {
      await sql`SELECT 1 FROM pairs WHERE id = ${id} FOR UPDATE`.execute(trx);
      held.push(true);
      await until();
    });
  const change = () =>
    db.transaction(async (trx) => {
      await sql`SET SESSION innodb_lock_wait_timeout = 1`.execute(trx);
      await pairs.insert(trx);
      await sql`UPDATE pairs SET changes = changes + 1 WHERE id = ${id}`.execute(trx);
    });
  // The first try times out, the second one has the lock.
  const shortly = hold(() => systemClock.sleep(1_500));
  await held.next();
  await change();
  await shortly;
  const forLong = hold(() => release.next());
  await held.next();
  await expect(change()).rejects.toMatchObject({ code: 'database-busy' });
  release.push(true);
  await forLong;
  const { rows } = await sql<{ changes: number }>`SELECT changes FROM pairs WHERE id = ${id}`.execute(db.kysely);
  expect(rows.map((row) => row.changes)).toEqual([1, 1]);
  expect(await pairs.damage()).toEqual([]);
});

test('max_allowed_packet made too small: refused at the start and later, with what to do', async () => {
  const pairs = await Pairs.create(db);
  await execute(root, 'SET GLOBAL max_allowed_packet = 1048576');
  const unfit = { code: 'database-unfit', message: expect.stringMatching(/max_allowed_packet = 1048576; set it to/) };
  await expect(openDatabase(components, { url })).rejects.toMatchObject(unfit);
  await execute(root, 'KILL USER wdpost@localhost');
  await pairs.addUntil((failure) => errorCode(failure) === 'database-unfit');
  await expect(pairs.add()).rejects.toMatchObject(unfit);
  await execute(root, 'SET GLOBAL max_allowed_packet = 67108864');
  await pairs.add();
  expect(await pairs.damage()).toEqual([]);
});

test('max_connections used up by others', async () => {
  await execute(root, 'SET GLOBAL max_connections = 10');
  const others: Database[] = [];
  const fill = async () => {
    for (;;) others.push(await openDatabase(components, { url }));
  };
  const refused = { ...unavailable, message: expect.stringContaining('raise its max_connections') };
  await expect(fill()).rejects.toMatchObject(refused);
  await expect(fill()).rejects.toMatchObject(refused);
  await execute(root, 'SET GLOBAL max_connections = 11');
  others.push(await openDatabase(components, { url }));
  await execute(root, 'SET GLOBAL max_connections = 151');
  for (const other of others) await other.close();
});

test('a server that begins sessions with autocommit off', async () => {
  await execute(root, 'SET GLOBAL autocommit = 0');
  try {
    const program = await openDatabase(components, { url });
    await execute(program, 'CREATE TABLE seen (id INT PRIMARY KEY)');
    await execute(program, 'INSERT INTO seen VALUES (1)');
    const { rows } = await sql`SELECT id FROM wdpost.seen`.execute(root.kysely);
    await program.close();
    expect(rows).toEqual([{ id: 1 }]);
  } finally {
    await execute(root, 'SET GLOBAL autocommit = 1');
  }
});
