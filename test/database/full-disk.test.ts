import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { isDatabaseTrouble } from '../../src/database/database-errors.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const run = promisify(execFile);
const components = { clock: systemClock, logger: silentLogger };

/** Undone in reverse. */
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A small file system; undefined where it cannot be had. */
async function makeDisk(): Promise<string | undefined> {
  const home = await mkdtemp(join(tmpdir(), 'wdpost-full-'));
  undo.push(() => rm(home, { recursive: true }));
  const disk = join(home, 'disk');
  await mkdir(disk);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'none', disk]);
  } catch {
    return undefined;
  }
  undo.push(() => run('umount', [disk]));
  return disk;
}

test.for([
  // MariaDB 10.11 gives up when it cannot take half a large value back, and is started again.
  { bytes: 700_000, rows: 2, code: expect.stringMatching(/^database-(full|unavailable)$/) },
  { bytes: 4_000, rows: 100, code: 'database-full' },
])(
  'a full disk and values of $bytes bytes: refused, nothing half-written, and it goes on with space',
  async (values, { skip }) => {
    const disk = await makeDisk();
    if (disk === undefined) return skip('a file system of its own wants root');
    const dataDir = join(disk, 'database');
    const start = async () => {
      const started = await startEmbeddedDatabase(components, { dataDir });
      undo.push(() => started.stop());
      return started;
    };
    const server: EmbeddedDatabase = await start();
    const db = await openDatabase(components, { url: server.url });
    undo.push(() => db.close());
    await sql`CREATE TABLE bodies (work INT, part INT, body LONGBLOB, PRIMARY KEY (work, part))`.execute(db.kysely);
    const { bavail, bsize } = await statfs(disk);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(bavail * bsize - 8 * 2 ** 20));

    const body = Buffer.alloc(values.bytes, 'b');
    let done = 0;
    const add = async () => {
      await db.transaction(async (trx) => {
        for (let part = 0; part < values.rows; part++) {
          await sql`INSERT INTO bodies VALUES (${done}, ${part}, ${body})`.execute(trx);
        }
      });
      done++;
    };
    const fill = async () => {
      for (;;) await add();
    };
    await expect(fill()).rejects.toMatchObject({ code: values.code });
    await expect(add()).rejects.toSatisfy(isDatabaseTrouble);

    await rm(join(disk, 'ballast'));
    const isAlive = await sql`SELECT 1`.execute(db.kysely).then(
      () => true,
      () => false,
    );
    if (!isAlive) {
      if (server.process.exitCode === null && server.process.signalCode === null) await once(server.process, 'exit');
      await start();
    }
    await add();
    const { rows } = await sql<{ work: number; parts: number }>`
    SELECT work, CAST(COUNT(*) AS SIGNED) AS parts FROM bodies GROUP BY work ORDER BY work`.execute(db.kysely);
    expect(rows).toEqual(Array.from({ length: done }, (_, work) => ({ work, parts: values.rows })));
  },
);
