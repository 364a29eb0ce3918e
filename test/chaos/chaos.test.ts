import { afterAll, beforeAll, expect, it } from 'vitest';
import { DatabaseServer } from './database-server.ts';
import { runSchedule } from './run-schedule.ts';
import { planSchedule } from './schedule.ts';

/** Chosen for the kinds of faults that they hold; `npm run chaos` runs many more. */
const SEEDS = [3, 5, 7];
const LIMIT_MS = 90_000;

let database: DatabaseServer;
beforeAll(async () => {
  database = await DatabaseServer.start();
});
afterAll(() => database.stop());

it.each(SEEDS)(
  'schedule %i loses nothing, takes nothing stale and proves nothing twice',
  { timeout: LIMIT_MS },
  async (seed) => {
    const { problems, story } = await runSchedule({ database, masters: 2 }, planSchedule(seed));
    expect(problems, story).toEqual([]);
  },
);

it('a seed is a schedule', () => {
  expect(planSchedule(7)).toEqual(planSchedule(7));
  expect(planSchedule(7)).not.toEqual(planSchedule(8));
});
