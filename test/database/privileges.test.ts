import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { migrate } from '../../src/database/migrate.ts';
import { waitForDatabase } from '../../src/database/wait-for-database.ts';
import { errorText } from '../../src/errors/coded-error.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { sampleTask } from '../queue/sample-task.ts';
import { createEmptySchema, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

let schema: TestDatabase;
/** Its own name on the server that all test files share. */
let name: string;
let url: string;
beforeEach(async () => {
  schema = await createEmptySchema();
  name = new URL(schema.url).pathname.slice(1);
  url = schema.url.replace('root@', `${name}:secret@`);
  await execute(`CREATE USER ${name}@'%' IDENTIFIED BY 'secret'`);
});
afterEach(async () => {
  await execute(`DROP USER ${name}@'%'`);
  await schema.drop();
});

const execute = (statement: string) => sql.raw(statement).execute(schema.db.kysely);

const open = () => waitForDatabase({ clock: systemClock, logger: silentLogger }, { url }, new AbortController().signal);

/** Runs the statement that the refusal ends with. */
async function runAdvice(refusal: unknown): Promise<void> {
  const [statement = ''] = /GRANT .*?;/.exec(errorText(refusal)) ?? [];
  expect(statement).toBe(`GRANT ALL PRIVILEGES ON \`${name}\`.* TO '${name}'@'%';`);
  await execute(statement);
}

test('a user who may not make tables is refused with the privilege and the GRANT', async () => {
  await execute(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.* TO ${name}@'%'`);
  const refusal: unknown = await open().catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'database-forbidden' });
  expect(errorText(refusal)).toMatch(/CREATE command denied/);
  await runAdvice(refusal);
  await (await open())?.close();
});

test('a user without any rights on the schema is refused with the GRANT', async () => {
  const refusal: unknown = await open().catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'database-forbidden' });
  await runAdvice(refusal);
  await (await open())?.close();
});

test('once the tables are there, rights on rows are enough', async () => {
  await migrate(schema.db);
  await execute(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.* TO ${name}@'%'`);
  const db = await open();
  if (db === undefined) throw new Error('no database');
  expect(await submitTask(db, { task: sampleTask(1), closeAt: null })).toMatchObject({ state: 'waiting' });
  await db.close();
});
