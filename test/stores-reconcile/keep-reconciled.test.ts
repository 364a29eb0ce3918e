import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { keepReconciled } from '../../src/stores/reconcile/keep-reconciled.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { MINER, makeSector, SIZE, TestStores } from '../stores/test-stores.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let database: TestDatabase;
let stores: TestStores;
let a: PersistStore;
let checker: StoreChecker;
let over: AbortController;
let running: Promise<void>;
let passedMs = 0;
const alerts = new RecordedAlerts();

/** Pauses are short, and days pass when the test wants it. */
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + passedMs,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal),
};

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stores = await TestStores.make();
  a = await stores.store('a');
});
afterEach(async () => {
  over.abort();
  await running;
  checker.close();
  await stores.remove();
});

function start(live: readonly number[]): void {
  const { db } = database;
  const components = { clock, logger: silentLogger, db, index: new SectorIndex({ db }) };
  checker = new StoreChecker(components, { stores: [a] });
  over = new AbortController();
  const none = Bitfield.of([]);
  const partition = { all: none, faulty: none, recovering: none, live: Bitfield.of(live), active: none };
  const info = { sectorSize: SIZE, owner: idAddress(1), worker: idAddress(1), controlAddresses: [] };
  const chain = {
    head: async () => ({ key: ['a'], height: 1, minTimestamp: 1 }),
    minerInfo: async () => ({
      ...info,
      windowPoStProofType: 5,
      windowPoStPartitionSectors: 2,
      consensusFaultElapsed: -1,
    }),
    deadlines: async () => [{ postSubmissions: none, disputableProofCount: 0 }],
    partitions: async () => [partition],
    sectors: async () => [],
  };
  const miners = [{ minerId: MINER, address: idAddress(MINER) }];
  running = keepReconciled({ ...components, alerts, chain, checker }, miners, over.signal);
}

const last = () =>
  database.db.kysely.selectFrom('store_reconciliations').selectAll().where('store', '=', 'a').executeTakeFirst();

test('a store is compared once a day, and never while a partition is being proven', async () => {
  const { sealed } = await makeSector(a, 1);
  await makeSector(a, 2);
  const bits = Buffer.from(Bitfield.of([1]).toRlePlus());
  const { kysely } = database.db;
  const epochs = { period_start: 0, deadline: 1, challenge_epoch: 40, open_epoch: 60, close_epoch: 120 };
  const run = { ...epochs, id: 1, miner_id: MINER, proof_type: 5, randomness: Buffer.alloc(32), created_at: 1 };
  await kysely
    .insertInto('post_runs')
    .values({ ...run, finished_at: null })
    .execute();
  await kysely
    .insertInto('post_partitions')
    .values({ run_id: 1, partition_index: 0, sectors: bits, recovering: bits, skipped: bits, state: 'proving' })
    .execute();
  let asked = 0;
  const watched = database.db.kysely.selectFrom.bind(database.db.kysely);
  database.db.kysely.selectFrom = ((table: 'post_partitions') => {
    if (table === 'post_partitions') asked++;
    return watched(table);
  }) as typeof watched;
  start([1, 2]);
  await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(3);
  expect(await last()).toBeUndefined();
  await kysely.updateTable('post_partitions').set({ state: 'landed' }).execute();
  await expect.poll(async () => (await last())?.ended_at, { timeout: 15_000 }).toEqual(expect.any(Number));
  expect(await last()).toMatchObject({ sectors: 2, findings: 0 });

  await rm(sealed);
  passedMs += DAY_MS + 1;
  await expect
    .poll(() => alerts.open.get('store-sectors/a')?.text, { timeout: 15_000 })
    .toMatch('1 sectors are missing');
  await makeSector(a, 1);
  passedMs += DAY_MS + 1;
  await expect.poll(() => alerts.open.size, { timeout: 15_000 }).toBe(0);
});

test('a store that is not itself is compared every hour, and is itself again where nobody misses what is gone', async () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const number of all) await makeSector(a, number);
  const { db } = database;
  const numbers = SectorSet.of(all);
  await new SectorIndex({ db }).add([{ store: 'a', minerId: MINER, upgraded: false, sealed: numbers, cache: numbers }]);
  for (const number of [1, 2, 3]) {
    for (const folder of ['sealed', 'cache']) await rm(join(a.path, folder, `s-t01000-${number}`), { recursive: true });
  }
  start([4, 5, 6, 7, 8]);
  await db.kysely
    .insertInto('store_reconciliations')
    .values({ store: 'a', began_at: clock.now() - HOUR_MS - 1, ended_at: 1, trouble: null })
    .onDuplicateKeyUpdate({ began_at: clock.now() - HOUR_MS - 1, ended_at: 1, trouble: null })
    .execute();
  expect(await checker.trouble('a')).toMatch('files of sectors seen there before');
  await expect.poll(async () => (await last())?.ended_at, { timeout: 15_000 }).toBeGreaterThan(1);
  expect(await checker.trouble('a')).toBeUndefined();
});
