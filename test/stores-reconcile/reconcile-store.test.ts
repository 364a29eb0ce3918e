import { rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { forgetStore, recordStore } from '../../src/stores/index/store-records.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { reconcileStore } from '../../src/stores/reconcile/reconcile-store.ts';
import { saveLost } from '../../src/stores/reconcile/save-lost.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { canMount, Mount } from '../stores/bindfs.ts';
import { MINER, makeSector, SIZE, TestStores } from '../stores/test-stores.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

let database: TestDatabase;
let stores: TestStores;
let a: PersistStore;
let b: PersistStore;
const endings: (() => void)[] = [];
const SCAN = { tookMs: 1, sectors: 1, strange: 0 };

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stores = await TestStores.make();
  a = await stores.store('a');
  b = await stores.store('b');
  for (const store of [a, b]) await recordStore(database.db, store, SCAN);
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) end();
  await stores.remove();
  for (const table of ['stores', 'store_findings', 'store_reconciliations', 'store_sectors'] as const) {
    await database.db.kysely.deleteFrom(table).execute();
  }
});

function world(live: readonly number[], upgraded: readonly number[] = []) {
  const { db } = database;
  const index = new SectorIndex({ db });
  const components = { clock: systemClock, logger: silentLogger, db, index };
  const checker = new StoreChecker(components, { stores: [a, b], sectorTimeoutMs: 500 });
  endings.push(() => checker.close());
  const sectors = new Map([
    [MINER, { sectors: SectorSet.of(live), upgraded: SectorSet.of(upgraded), sectorSize: SIZE }],
  ]);
  return {
    index,
    checker,
    check: async (numbers: readonly number[], isUpgraded = false) => {
      const wanted = numbers.map((number) => ({ number, upgraded: isUpgraded }));
      const checks = await checker.check({ minerId: MINER, sectorSize: SIZE, sectors: wanted });
      return checks.map(({ verdict }) => verdict);
    },
    lost: () => saveLost({ ...components, checker }, sectors),
    reconcile: (store: PersistStore) =>
      reconcileStore({ ...components, checker }, { store, stores: ['a', 'b'], live: sectors }),
  };
}

async function findings() {
  const rows = await database.db.kysely.selectFrom('store_findings').selectAll().orderBy('sector_number').execute();
  return rows.map(({ store, sector_number, kind }) => `${store} ${sector_number} ${kind}`);
}

async function reconciliation(store: string) {
  const rows = database.db.kysely.selectFrom('store_reconciliations').selectAll().where('store', '=', store);
  return await rows.executeTakeFirstOrThrow();
}

test('what differs is kept with the time it was first seen, and goes when it is mended', async () => {
  const { sealed } = await makeSector(a, 1);
  const cut = await makeSector(a, 2);
  await makeSector(a, 3);
  await makeSector(a, 9);
  await makeSector(b, 3);
  const { reconcile, index } = world([1, 2, 3]);
  expect((await reconcile(b)).findings).toEqual({ missing: 0, unexpected: 0, duplicate: 0, 'wrong-size': 0 });
  expect(await reconcile(a)).toEqual({
    sectors: 4,
    findings: { missing: 0, unexpected: 1, duplicate: 1, 'wrong-size': 0 },
  });
  expect([...(await index.locate(MINER, [{ number: 1, upgraded: false }])).keys()]).toEqual([1]);

  await rm(sealed);
  await truncate(cut.sealed, 5);
  await reconcile(a);
  expect(await findings()).toEqual(['a 1 missing', 'a 2 wrong-size', 'a 3 duplicate', 'a 9 unexpected']);
  const [first] = await database.db.kysely.selectFrom('store_findings').selectAll().orderBy('sector_number').execute();

  await truncate(cut.sealed, SIZE);
  await reconcile(a);
  expect(await findings()).toEqual(['a 1 missing', 'a 3 duplicate', 'a 9 unexpected']);
  const rows = database.db.kysely.selectFrom('store_findings').selectAll().orderBy('sector_number');
  expect(await rows.executeTakeFirst()).toMatchObject({ since: first?.since, seen_at: expect.any(Number) });
  expect(await reconciliation('a')).toMatchObject({ findings: 3, sectors: 4, trouble: null });
});

test('what was removed and the chain has no more is forgotten, so that it does not speak against the store', async () => {
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const number of numbers) await makeSector(a, number);
  const remove = async (number: number) => {
    for (const folder of ['sealed', 'cache']) await rm(join(a.path, folder, `s-t01000-${number}`), { recursive: true });
  };
  await world(numbers).reconcile(a);
  for (const number of [1, 2]) await remove(number);
  await world([3, 4, 5, 6, 7, 8]).reconcile(a);
  // Of eight sectors three would be too many. Each world is a restart: only the index knows what belongs there.
  await remove(3);
  const { reconcile, index } = world([3, 4, 5, 6, 7, 8]);
  expect((await reconcile(a)).findings.missing).toBe(1);
  const located = await index.locate(
    MINER,
    numbers.map((number) => ({ number, upgraded: false })),
  );
  expect([...located.keys()]).toEqual([3, 4, 5, 6, 7, 8]);
});

test('a sector is lost only when every store was compared', async () => {
  await makeSector(a, 1);
  await makeSector(b, 2);
  const { reconcile, lost } = world([1, 2, 3]);
  await reconcile(a);
  await lost();
  expect(await findings()).toEqual([]);
  await reconcile(b);
  await lost();
  expect(await findings()).toEqual([' 3 missing']);
  // It came after its store was compared.
  await makeSector(a, 3);
  await lost();
  expect(await findings()).toEqual([]);
});

test('a file missing in a cache folder is told as such, also of a sector that was never indexed', async () => {
  const known = await makeSector(a, 1);
  const { reconcile } = world([1, 2]);
  await reconcile(a);
  await rm(join(known.cache, 'p_aux'));
  await rm(join((await makeSector(a, 2)).cache, 'p_aux'));
  await reconcile(a);
  expect(await findings()).toEqual(['a 1 wrong-size', 'a 2 wrong-size']);
  const [first] = await database.db.kysely.selectFrom('store_findings').select('reason').execute();
  expect(first?.reason).toBe('cache/s-t01000-1/p_aux does not exist');
});

test('a store that was detached has to be attached and compared again before a sector is lost', async () => {
  await makeSector(a, 1);
  await makeSector(b, 3);
  const { reconcile, lost } = world([1, 2, 3]);
  await reconcile(a);
  await reconcile(b);
  await forgetStore(database.db, 'a');
  await lost();
  expect(await findings()).toEqual([]);
  await recordStore(database.db, a, SCAN);
  await lost();
  expect(await findings()).toEqual([]);
  await reconcile(a);
  await lost();
  expect(await findings()).toEqual([' 2 missing']);
});

/** Numbers of the sealed files that the index has there. */
async function indexed(index: SectorIndex, store: string, isUpgraded = false): Promise<number[]> {
  const shares = await index.shares({ store });
  return shares.filter(({ upgraded }) => upgraded === isUpgraded).flatMap(({ sealed }) => [...sealed]);
}

async function removeSectors(store: PersistStore, numbers: readonly number[], upgraded = false): Promise<void> {
  for (const number of numbers) {
    for (const folder of upgraded ? ['update', 'update-cache'] : ['sealed', 'cache']) {
      await rm(join(store.path, folder, `s-t01000-${number}`), { recursive: true });
    }
  }
}

describe('a store from which much was taken on purpose is itself again', () => {
  const all = Array.from({ length: 20 }, (_, number) => number);

  test('moved to another store, and nothing of it is a duplicate', async () => {
    for (const number of all) await makeSector(a, number);
    await makeSector(b, 90);
    const { reconcile, index, checker, check } = world([...all, 90]);
    await reconcile(a);
    await reconcile(b);
    for (const number of all.slice(0, 12)) {
      for (const folder of ['sealed', 'cache']) {
        await rename(join(a.path, folder, `s-t01000-${number}`), join(b.path, folder, `s-t01000-${number}`));
      }
    }
    expect(await checker.trouble('a')).toMatch('sectors seen there before');
    // Nobody knows yet where they are.
    await expect(reconcile(a)).rejects.toMatchObject({ code: 'store-not-itself' });
    await reconcile(b);
    await reconcile(a);
    expect(await indexed(index, 'a')).toEqual(all.slice(12));
    expect(await findings()).toEqual([]);
    await removeSectors(a, [15]);
    expect(await check([14, 15])).toEqual(['good', 'bad']);
  });

  test('expired, and removed at once', async () => {
    for (const number of all) await makeSector(a, number);
    await makeSector(b, 90);
    await world([...all, 90]).reconcile(a);
    await removeSectors(a, all.slice(0, 12));
    const { reconcile, index, check } = world([...all.slice(12), 90]);
    expect(await check([15])).toEqual(['good']);
    await reconcile(a);
    expect(await indexed(index, 'a')).toEqual(all.slice(12));
    await removeSectors(a, [15]);
    expect(await check([15])).toEqual(['bad']);
  });

  test('upgraded, the old data being removed to the last sector', async () => {
    const some = all.slice(0, 6);
    for (const number of some) {
      await makeSector(a, number);
      await makeSector(a, number, { upgraded: true });
    }
    await makeSector(b, 90);
    await world([...some, 90]).reconcile(a);
    await removeSectors(a, some);
    const { reconcile, index, check, checker } = world([...some, 90], some);
    expect(await checker.trouble('a')).toMatch('sealed/ is gone or empty');
    await reconcile(a);
    expect(await indexed(index, 'a')).toEqual([]);
    expect(await indexed(index, 'a', true)).toEqual(some);
    await removeSectors(a, [5], true);
    expect(await check(some, true)).toEqual(['good', 'good', 'good', 'good', 'good', 'bad']);
  });

  test('but not where what is gone is missed, or where nothing is left to know it by', async () => {
    for (const number of all) await makeSector(a, number);
    await makeSector(b, 90);
    await world([...all, 90]).reconcile(a);
    await removeSectors(a, all.slice(0, 12));
    await expect(world([...all, 90]).reconcile(a)).rejects.toMatchObject({ code: 'store-not-itself' });
    await expect(world([90]).reconcile(a)).rejects.toMatchObject({ code: 'store-not-itself' });
    expect(await indexed(world([]).index, 'a')).toEqual(all);
  });
});

test('a sector lost while its upgrade is under way is missing, whatever lies in update/', async () => {
  for (const number of [1, 2, 3, 4, 5]) await makeSector(a, number);
  await makeSector(a, 5, { upgraded: true });
  await makeSector(b, 90);
  await world([1, 2, 3, 4, 5, 90]).reconcile(a);
  await removeSectors(a, [5]);
  const { reconcile, lost, index } = world([1, 2, 3, 4, 5, 90]);
  expect((await reconcile(a)).findings.missing).toBe(1);
  expect(await indexed(index, 'a')).toEqual([1, 2, 3, 4, 5]);
  await reconcile(b);
  await forgetStore(database.db, 'a');
  await recordStore(database.db, a, SCAN);
  await reconcile(a);
  await lost();
  expect(await findings()).toEqual([' 5 missing']);
});

describe('a store that is not itself gives nothing at all', () => {
  test.runIf(canMount)(
    'hung, then unmounted, while one of its sectors is really gone',
    {
      timeout: 40_000,
    },
    async () => {
      const source = await stores.store('source');
      const [one] = [await makeSector(source, 1), await makeSector(source, 2), await makeSector(source, 3)];
      const mount = new Mount(source.path, a.path);
      endings.push(() => mount.end());
      await mount.mount();
      const { reconcile, lost } = world([1, 2, 3]);
      await reconcile(a);
      await rm(one.sealed);
      mount.hang();
      await expect(reconcile(a)).rejects.toMatchObject({ code: 'store-not-itself' });
      mount.goOn();
      mount.unmount();
      // The store may be thought to hang a little longer.
      await expect(reconcile(a)).rejects.toMatchObject({ code: 'store-not-itself' });
      await lost();
      expect(await findings()).toEqual([]);
      expect(await reconciliation('a')).toMatchObject({ sectors: 3, trouble: expect.stringContaining('store a') });
      await mount.mount();
      await expect.poll(() => reconcile(a).catch(() => undefined), { timeout: 25_000 }).toBeDefined();
      expect(await findings()).toEqual(['a 1 missing']);
    },
  );

  test('another store lies at its path', async () => {
    for (const number of [1, 2, 3]) await makeSector(a, number);
    await world([1, 2, 3]).reconcile(a);
    await rm(a.path, { recursive: true });
    a = await stores.store('a');
    await makeSector(a, 9);
    // As after a restart: only the index knows what belongs there.
    await expect(world([1, 2, 3]).reconcile(a)).rejects.toThrow('none of the sectors seen there before is there');
    expect(await findings()).toEqual([]);
  });
});
