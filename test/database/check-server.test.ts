import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkServer, isSupportedVersion } from '../../src/database/check-server.ts';
import { createEmptySchema, type TestDatabase } from '../support/database.ts';

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createEmptySchema();
});
afterAll(() => schema.drop());

test.each([
  ['10.11.19-MariaDB-0+deb12u1', true],
  ['5.5.5-10.6.1-MariaDB-log', true],
  ['11.4.2-MariaDB', true],
  ['10.5.29-MariaDB', false],
  ['8.0.36', true],
  ['8.4.0-commercial', true],
  ['8.0.11-TiDB-v7.5.0', true],
  ['5.7.44-log', false],
  ['', false],
])('version %s: %s', (version, supported) => {
  expect(isSupportedVersion(version)).toBe(supported);
});

test('a session at another isolation level is refused', async () => {
  await schema.db.kysely.connection().execute(async (connection) => {
    await checkServer(connection);
    await sql`SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ`.execute(connection);
    await expect(checkServer(connection)).rejects.toMatchObject({
      code: 'database-unfit',
      message: expect.stringContaining('REPEATABLE-READ'),
    });
    await sql`SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED`.execute(connection);
  });
});
