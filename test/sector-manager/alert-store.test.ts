import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { AlertStore } from '../../src/programs/sector-manager/alert-store.ts';
import type { KeptAlert } from '../../src/telemetry/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

const newStore = () => new AlertStore({ clock: systemClock, logger: silentLogger, db: schema.db });
const alert = (id: string, more: Partial<KeptAlert> = {}): KeptAlert => ({
  id,
  class: 'partition-late',
  severity: 'warning',
  text: 'late – später',
  since: 1_790_000_000_000,
  toldAt: null,
  ...more,
});

test('what is kept is found by the next manager, what is over is not', async () => {
  const store = newStore();
  store.keep('a', alert('a'));
  store.keep('b', alert('b'));
  store.keep('A', alert('A', { minerId: 1000, deadline: 5, severity: 'critical' }));
  await expect.poll(async () => (await newStore().load()).length).toBe(3);
  store.keep('a', alert('a', { toldAt: 1_790_000_005_000 }));
  store.keep('b', undefined);
  await expect
    .poll(async () => (await newStore().load()).sort((one, other) => one.id.localeCompare(other.id, 'en')))
    .toEqual([
      alert('a', { toldAt: 1_790_000_005_000 }),
      alert('A', { minerId: 1000, deadline: 5, severity: 'critical' }),
    ]);
  await store.close();
});

test('a manager that leads no more keeps nothing', async () => {
  const fenced = schema.db.fenced({
    statement: sql`SELECT 1`,
    judge: () => {
      throw new Error('another manager leads now');
    },
    demand: sql`SELECT 1`,
  });
  const store = new AlertStore({ clock: systemClock, logger: silentLogger, db: fenced });
  store.keep('a', alert('a'));
  await store.close();
  expect(await newStore().load()).toEqual([]);
});
