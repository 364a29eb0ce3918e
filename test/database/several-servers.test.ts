import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };

let home: string;
let servers: EmbeddedDatabase[];
let roots: Database[];
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wdpost-several-'));
  servers = await Promise.all(['first', 'second'].map((name) => start(name)));
  roots = await Promise.all(servers.map(({ url }) => openDatabase(components, { url })));
  for (const root of roots) {
    await execute(root, 'CREATE USER wdpost@localhost');
    await execute(root, 'GRANT ALL ON wdpost.* TO wdpost@localhost');
    await execute(root, 'CREATE TABLE marks (id INT PRIMARY KEY AUTO_INCREMENT)');
  }
});
afterAll(async () => {
  for (const root of roots) await root.close();
  for (const server of servers) await server.stop();
  await rm(home, { recursive: true });
});

function start(name: string): Promise<EmbeddedDatabase> {
  return startEmbeddedDatabase(components, { dataDir: join(home, name) });
}

async function execute(db: Database, statement: string): Promise<void> {
  await sql.raw(statement).execute(db.kysely);
}

/** The server that wrote, by the name of its data directory. */
async function write(db: Database): Promise<string> {
  await sql`INSERT INTO marks VALUES ()`.execute(db.kysely);
  const { rows } = await sql<{ dir: string }>`SELECT @@datadir AS dir`.execute(db.kysely);
  return rows[0]?.dir.split('/').at(-2) ?? '';
}

async function open(...urls: string[]): Promise<Database> {
  return await openDatabase(components, { url: urls.map((url) => url.replace('root@', 'wdpost@')) });
}

test('of two servers the first one, the next when it ends, and that one as long as it works', async () => {
  const urls = servers.map(({ url }) => url);
  const db = await open(...urls);
  expect(await write(db)).toBe('first');
  await servers[0]?.stop();
  expect(await write(db)).toBe('second');
  servers[0] = await start('first');
  expect(await write(db)).toBe('second');
  await servers[1]?.stop();
  expect(await write(db)).toBe('first');
  servers[1] = await start('second');
  await db.close();
});

test('from a server that becomes read-only to the one that is not', async () => {
  const urls = servers.map(({ url }) => url);
  const db = await open(...urls);
  await execute(roots[1] as Database, 'SET GLOBAL read_only = 1');
  expect(await write(db)).toBe('first');
  // As a failover does it.
  await execute(roots[0] as Database, 'SET GLOBAL read_only = 1');
  await execute(roots[1] as Database, 'SET GLOBAL read_only = 0');
  await expect(write(db)).rejects.toMatchObject({
    code: 'database-unavailable',
    message: expect.stringContaining('is read-only'),
  });
  expect(await write(db)).toBe('second');
  const other = await open(...urls);
  expect(await write(other)).toBe('second');
  await execute(roots[0] as Database, 'SET GLOBAL read_only = 0');
  await Promise.all([db.close(), other.close()]);
});

test('no server: each is told; one that may come back is waited for', async () => {
  const [first = ''] = servers.map(({ url }) => url);
  await expect(open('mysql://root@127.0.0.1:1/wdpost', first.replace('/wdpost?', '/missing?'))).rejects.toMatchObject({
    code: 'database-unavailable',
    message: expect.stringMatching(/127\.0\.0\.1:1 does not answer.*; .*(CREATE DATABASE|GRANT ALL)/),
  });
});
