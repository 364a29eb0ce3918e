import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { inject } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { silentLogger } from './silent-logger.ts';

export interface TestDatabase {
  readonly db: Database;
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty schema with all tables; `drop` it when done. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const test = await createEmptySchema();
  await migrate(test.db);
  return test;
}

/** A schema with nothing in it. */
export async function createEmptySchema(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const serverUrl = inject('databaseUrl');
  await onServer(serverUrl, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  const url = serverUrl.replace(/\/\w+\?/, `/${name}?`);
  const db = await openDatabase({ clock: systemClock, logger: silentLogger }, { url });
  return {
    db,
    url,
    async drop() {
      await db.close();
      await onServer(serverUrl, `DROP DATABASE ${name}`);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const server = await openDatabase({ clock: systemClock, logger: silentLogger }, { url });
  await sql.raw(statement).execute(server.kysely);
  await server.close();
}
