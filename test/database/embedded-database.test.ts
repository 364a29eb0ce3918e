import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { sampleTask } from '../queue/sample-task.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };

let home: string;
const running: EmbeddedDatabase[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wdpost-embedded-'));
});
afterEach(async () => {
  for (const database of running.splice(0)) await database.stop();
  await rm(home, { recursive: true });
});

async function start(dataDir: string): Promise<EmbeddedDatabase> {
  const database = await startEmbeddedDatabase(components, { dataDir });
  running.push(database);
  return database;
}

test('a server killed under the queue loses nothing, and callers have their connections back', async () => {
  // Too long a path for a socket in it.
  const dataDir = join(home, 'a-directory-name-of-some-length-'.repeat(3), 'database');
  const first = await start(dataDir);
  const db = await openDatabase(components, { url: first.url });
  await migrate(db);
  const { id } = await submitTask(db, { task: sampleTask(1), closeAt: null });

  const gone = once(first.process, 'exit');
  first.process.kill('SIGKILL');
  await gone;
  await expect(submitTask(db, { task: sampleTask(2), closeAt: null })).rejects.toMatchObject({
    code: 'database-unavailable',
  });

  const second = await start(dataDir);
  expect(second.url).toBe(first.url);
  expect(await getTask(db.kysely, id)).toMatchObject({ state: 'waiting' });
  expect(await submitTask(db, { task: sampleTask(2), closeAt: null })).toMatchObject({ state: 'waiting' });
  await db.close();
});

test('a data directory that is no database is told in a line', async () => {
  await expect(startEmbeddedDatabase(components, { dataDir: home })).rejects.toMatchObject({
    code: 'embedded-database-failed',
    message: expect.stringContaining(home),
  });
});
