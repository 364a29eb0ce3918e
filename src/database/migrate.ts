import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { CodedError, errorCode } from '../errors/coded-error.ts';
import { checkSeedTables } from './check-seed-tables.ts';
import type { Database, Executor } from './database.ts';
import { isDatabaseTrouble, isDeadlock, isIncompleteSchema, isLockTimeout } from './database-errors.ts';
import { withGrant } from './privileges.ts';

const DIRECTORY = new URL('../../sql/', import.meta.url);

/**
 * The seed's operators made its tables by hand, a program may have been killed between two statements, and two programs may
 * start at once: what is there already is done. So no lock is needed (and none would hold in a cluster): each program runs
 * each statement to its end, or finds that another one has, before it goes on.
 */
const ALREADY_DONE = new Set(['ER_TABLE_EXISTS_ERROR', 'ER_DUP_FIELDNAME', 'ER_DUP_KEYNAME']);

/** Programs that run are held up for so long at a try. */
const LOCK_WAIT_S = 2;

/**
 * Brings the tables to what this version needs: applies sql/NNNN-name.sql in order. Returns the names applied now. Where nothing
 * is to be done, the rights to read and write rows are enough.
 * @param isMending also what was applied before, since somebody has dropped a table or a column of it
 * @throws CodedError `migration-changed` when a file is not the one that was applied, `migration-failed` when it cannot be,
 *   `database-tables-unfit`, `database-forbidden`, `database-busy` while another transaction holds a table
 */
export async function migrate(db: Database, isMending = false): Promise<string[]> {
  try {
    return await bringUpToDate(db, isMending);
  } catch (error) {
    throw await withGrant(db.kysely, error);
  }
}

async function bringUpToDate(db: Database, isMending: boolean): Promise<string[]> {
  const recorded = await readRecord(db);
  await checkSeedTables(db);
  const files = (await readdir(DIRECTORY)).filter((name) => name.endsWith('.sql')).sort();
  const due: { readonly name: string; readonly text: string; readonly sha256: string }[] = [];
  for (const name of files) {
    const text = await readFile(new URL(name, DIRECTORY), 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const before = recorded.get(name);
    if (before !== undefined && before !== sha256) {
      throw new CodedError(
        'migration-changed',
        `the database was made by another version of sql/${name}; install the version of the other programs, or use another database`,
      );
    }
    if (before === undefined || isMending) due.push({ name, text, sha256 });
  }
  if (due.length === 0) return [];
  return await givingWay(db, async (connection) => {
    for (const { name, text, sha256 } of due) {
      for (const statement of splitStatements(text).flatMap(singleChanges)) await run(connection, name, statement);
      await sql`INSERT IGNORE INTO schema_migrations (name, sha256, applied_at)
        VALUES (${name}, ${sha256}, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED))`.execute(connection);
    }
    return due.map(({ name }) => name);
  });
}

/**
 * A change of a table waits for every transaction that has read it, and whoever comes after waits behind the change: so it gives up
 * soon, and is tried again by whoever asked for it. The connection goes back as it was.
 */
async function givingWay<T>(db: Database, work: (connection: Executor) => Promise<T>): Promise<T> {
  return await db.kysely.connection().execute(async (connection) => {
    await sql`SET SESSION lock_wait_timeout = ${sql.lit(LOCK_WAIT_S)}`.execute(connection);
    try {
      return await work(connection);
    } finally {
      // Of a connection that is lost nothing is left to set.
      await sql`SET SESSION lock_wait_timeout = DEFAULT`.execute(connection).catch(() => {});
    }
  });
}

/** The digests of the files that were applied, by name. */
async function readRecord(db: Database): Promise<ReadonlyMap<string, string>> {
  const read = () => db.kysely.selectFrom('schema_migrations').select(['name', 'sha256']).execute();
  const rows = await read().catch(async (error: unknown) => {
    if (!isIncompleteSchema(error)) throw error;
    await sql`CREATE TABLE IF NOT EXISTS schema_migrations (
      name VARCHAR(100) PRIMARY KEY NOT NULL,
      sha256 CHAR(64) NOT NULL,
      applied_at BIGINT NOT NULL
    ) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci`.execute(db.kysely);
    return await read();
  });
  return new Map(rows.map((row) => [row.name, row.sha256]));
}

async function run(connection: Executor, file: string, statement: string): Promise<void> {
  try {
    await sql.raw(statement).execute(connection);
  } catch (error) {
    if (ALREADY_DONE.has(errorCode(error) ?? '')) return;
    if (isLockTimeout(error)) throw held(file, statement, error);
    if (isDeadlock(error) || (isDatabaseTrouble(error) && !isIncompleteSchema(error))) throw error;
    const why = 'a table of this name is not ours, or was changed; use another database, or restore a backup';
    throw new CodedError('migration-failed', `sql/${file} cannot be applied to the database: ${why}`, { cause: error });
  }
}

function held(file: string, statement: string, cause: unknown): CodedError {
  const [first] = statement
    .replace(/^--.*$/gm, '')
    .trim()
    .split('\n');
  return new CodedError(
    'database-busy',
    `sql/${file} waits (${first}): another transaction holds the table, perhaps one that somebody left open by hand. ` +
      'information_schema.innodb_trx and SHOW PROCESSLIST tell which; end it (COMMIT, or KILL its connection)',
    { cause },
  );
}

/** Each column alone, so that one that is there already keeps none of the others away. */
function singleChanges(statement: string): string[] {
  const [, table, changes] = statement.match(/^((?:--.*\n|\s)*ALTER TABLE \w+)\s+(ADD.*)$/s) ?? [];
  if (table === undefined || changes === undefined) return [statement];
  return changes.split(/,\s*(?=ADD )/).map((change) => `${table} ${change}`);
}

/** A statement of our files ends with a semicolon at the end of a line. */
function splitStatements(text: string): string[] {
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
