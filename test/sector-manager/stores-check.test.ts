import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { storesCheck } from '../../src/programs/sector-manager/preflight/stores-check.ts';
import { recordStore } from '../../src/stores/index/store-records.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { TestStores } from '../stores/test-stores.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let stores: TestStores;
let a: PersistStore;
let b: PersistStore;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stores = await TestStores.make();
  [a, b] = [await stores.store('a'), await stores.store('b')];
});
afterEach(() => stores.remove());

const check = (...of: PersistStore[]) => storesCheck({ clock: systemClock, db: async () => database.db }, of);

test('there have to be stores, of different folders, that were attached', async () => {
  expect(await check()).toMatchObject({ verdict: 'fail', text: expect.stringContaining('none is configured') });
  const link = { ...a, name: 'link', path: join(stores.root, 'link') };
  await symlink(a.path, link.path);
  expect(await check(b, a, link)).toEqual({
    verdict: 'fail',
    text: `the same folder: link (${link.path}) as a (${a.path}); mount what is missing, or take one of them out of the file`,
  });
  await recordStore(database.db, a, { tookMs: 1, sectors: 1, strange: 0 });
  await recordStore(database.db, b, undefined);
  expect(await check(a, b)).toEqual({
    verdict: 'warn',
    text: 'never attached, so what is missing there counts as unknown: b; run util storage attach',
  });
  await recordStore(database.db, b, { tookMs: 1, sectors: 1, strange: 0 });
  expect(await check(a, b)).toEqual({ verdict: 'ok', text: '2 configured' });
});

test('without a database folders are compared all the same', async () => {
  const db = async () => Promise.reject(new Error('the database is away'));
  expect(await storesCheck({ clock: systemClock, db }, [a, b])).toMatchObject({ verdict: 'ok' });
  expect(await storesCheck({ clock: systemClock, db }, [a, { ...a, name: 'b' }])).toMatchObject({ verdict: 'fail' });
});
