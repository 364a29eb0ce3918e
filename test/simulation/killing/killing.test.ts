import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Kill, runKills } from './run-kills.ts';

/** Chosen over the length of a run; `npm run simulate -- --kill 200` draws many more. */
const SCHEDULES: readonly (readonly Kill[])[] = [
  [{ at: 12, after: true }],
  [
    { at: 45, after: false },
    { at: 30, after: true },
  ],
  [{ at: 120, after: true }],
];
const LIMIT_MS = 60_000;

const root = fileURLToPath(new URL('../../..', import.meta.url));
let database: TestDatabase;
beforeAll(async () => {
  await promisify(execFile)('npx', ['tsc', '-p', 'test/simulation/tsconfig.json'], { cwd: root });
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it.each(SCHEDULES.map((kills, index) => ({ kills, minerId: 1_000 + index })))(
  'a poster killed at statements $kills sends nothing twice and loses nothing',
  { timeout: LIMIT_MS },
  async ({ kills, minerId }) => {
    const child = `${root}build/simulation/test/simulation/killing/killed-poster.js`;
    const result = await runKills({ child, databaseUrl: database.url, minerId, kills });
    expect(result).toMatchObject({ problems: [], kills: kills.length });
  },
);
