import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type AttachInit, attachStore } from '../../src/stores/index/attach-store.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { indexNewSectors } from '../../src/stores/index/watch-growth.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { canMount, Mount } from '../stores/bindfs.ts';
import { MINER, makeCache, makeSealed, makeSector, TestStores } from '../stores/test-stores.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

let database: TestDatabase;
let index: SectorIndex;
let stores: TestStores;
let store: PersistStore;

beforeAll(async () => {
  database = await createTestDatabase();
  index = new SectorIndex(database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  stores = await TestStores.make();
  store = await stores.store('a');
});
afterEach(async () => {
  await stores.remove();
  await database.db.kysely.deleteFrom('store_sectors').execute();
  await database.db.kysely.deleteFrom('stores').execute();
});

const components = () => ({ clock: systemClock, logger: silentLogger, db: database.db });

async function attach(of: PersistStore, init: Partial<AttachInit> = {}) {
  const leftOut: string[] = [];
  const report = await attachStore(components(), {
    name: of.name,
    path: of.path,
    prune: false,
    dryRun: false,
    allowSplit: false,
    isOurs: (minerId) => minerId === MINER,
    onLeftOut: ({ number }, verdict) => leftOut.push(`${number} ${verdict}`),
    ...init,
  });
  return { ...report, leftOut: leftOut.sort() };
}

/** `store sealed`, `store cache` or `store both` of each copy. */
async function copies(number: number, upgraded = false): Promise<string[]> {
  const found = (await index.locate(MINER, [{ number, upgraded }])).get(number) ?? [];
  return found.map((copy) => `${copy.store} ${copy.hasSealed ? (copy.hasCache ? 'both' : 'sealed') : 'cache'}`).sort();
}

test('indexes what is whole, and tells why the rest is not', async () => {
  await makeSector(store, 1);
  await makeSector(store, 2, { upgraded: true });
  await makeSealed(store, 3);
  await makeCache(store, 4);
  await truncate((await makeSector(store, 5)).sealed, 5);
  await rename((await makeSector(store, 6)).sealed, join(store.path, `sealed/s-t02000-6`));
  await writeFile(join(store.path, 'sealed/what is this'), '');
  const report = await attach(store);
  expect(report).toMatchObject({
    counts: { ok: 2, sizeWrong: 1, cacheFileMissing: 1, sealedFileMissing: 2, unreadable: 0, otherMiner: 1 },
    strange: 1,
    added: 2,
    duplicates: 0,
    leftOut: ['3 cacheFileMissing', '4 sealedFileMissing', '5 sizeWrong', '6 otherMiner', '6 sealedFileMissing'],
  });
  expect(report.failure).toBeUndefined();
  expect([await copies(1), await copies(2, true), await copies(2), await copies(3)]).toEqual([
    ['a both'],
    ['a both'],
    [],
    [],
  ]);
  const [row] = await database.db.kysely.selectFrom('stores').selectAll().execute();
  expect(row).toMatchObject({ name: 'a', path: store.path, sector_count: 2, strange_count: 1 });
});

test('changes nothing the second time', async () => {
  await makeSector(store, 1);
  await attach(store);
  const before = await index.shares();
  expect(await attach(store)).toMatchObject({ counts: { ok: 1 }, added: 0 });
  expect(await index.shares()).toEqual(before);
});

test('writes nothing when asked to', async () => {
  await makeSector(store, 1);
  expect(await attach(store, { dryRun: true })).toMatchObject({ counts: { ok: 1 }, added: 1 });
  expect(await index.shares()).toEqual([]);
  expect(await database.db.kysely.selectFrom('stores').selectAll().execute()).toEqual([]);
});

test('keeps all copies and counts them', async () => {
  const other = await stores.store('b');
  for (const one of [store, other]) await makeSector(one, 1);
  await makeSector(other, 2);
  await attach(store);
  expect(await attach(other)).toMatchObject({ counts: { ok: 2 }, duplicates: 1 });
  expect(await copies(1)).toEqual(['a both', 'b both']);
});

test('takes halves where they may lie apart', async () => {
  const other = await stores.store('b');
  await makeSealed(store, 1);
  await makeCache(other, 1);
  expect((await attach(store)).counts).toMatchObject({ ok: 0, cacheFileMissing: 1 });
  for (const one of [store, other]) expect((await attach(one, { allowSplit: true })).counts.ok).toBe(1);
  expect(await copies(1)).toEqual(['a sealed', 'b cache']);
});

test('a miner has one sector size', async () => {
  for (const number of [1, 2, 3]) await makeSector(store, number);
  await makeSector(store, 4, { sectorSize: 2 ** 23 });
  const { counts, leftOut, sectorSizes } = await attach(store);
  expect(counts).toMatchObject({ ok: 3, sizeWrong: 1 });
  expect(leftOut).toEqual(['4 sizeWrong']);
  expect([...sectorSizes]).toEqual([[MINER, 2_048]]);
  expect(await copies(4)).toEqual([]);
});

test('refuses a name that stands for another folder', async () => {
  await makeSector(store, 1);
  await attach(store);
  const other = await stores.store('other');
  await expect(attach({ ...other, name: 'a' })).rejects.toMatchObject({ code: 'store-name-taken' });
});

describe('pruning', () => {
  test('takes out what is gone, part by part, and nothing else', async () => {
    const one = await makeSector(store, 1);
    const two = await makeSector(store, 2);
    for (let number = 3; number < 10; number++) await makeSector(store, number);
    await attach(store);
    for (const path of Object.values(one)) await rm(path, { recursive: true });
    await rm(two.cache, { recursive: true });
    await truncate(join(store.path, 'sealed/s-t01000-4'), 1);
    await attach(store);
    expect([await copies(1), await copies(2)]).toEqual([['a both'], ['a both']]);
    expect(await attach(store, { prune: true })).toMatchObject({ pruned: 2 });
    expect([await copies(1), await copies(2), await copies(3), await copies(4)]).toEqual([
      [],
      ['a sealed'],
      ['a both'],
      ['a both'],
    ]);
  });

  test.each(['empty folders', 'nothing', 'others'])('is refused where there are %s', async (what) => {
    for (const number of [1, 2]) await makeSector(store, number);
    await makeSector(store, 3, { upgraded: true });
    await attach(store);
    await rename(store.path, `${store.path}-away`);
    await mkdir(store.path);
    if (what === 'empty folders') for (const folder of ['sealed', 'cache']) await mkdir(join(store.path, folder));
    if (what === 'others') await makeSector(store, 9);
    const report = await attach(store, { prune: true });
    expect(report.pruned).toBe(0);
    expect(report.failure).toMatchObject({ code: what === 'others' ? 'store-not-itself' : 'store-empty' });
    expect([await copies(1), await copies(3, true)]).toEqual([['a both'], ['a both']]);
  });

  test('is refused where a folder of it is not mounted', async () => {
    await makeSector(store, 1);
    await makeSector(store, 2, { upgraded: true });
    await attach(store);
    await rm(join(store.path, 'update'), { recursive: true });
    expect((await attach(store, { prune: true })).failure).toMatchObject({ code: 'store-not-itself' });
    expect(await copies(2, true)).toEqual(['a both']);
  });
});

test('keeps what was found before a scan failed', async () => {
  for (const number of [1, 2]) await makeSector(store, number);
  const ending = new AbortController();
  const report = await attach(store, {
    signal: ending.signal,
    onProgress: ({ looked }) => looked > 0 && ending.abort(new Error('interrupted')),
  });
  expect(report.failure).toMatchObject({ message: 'interrupted' });
  expect(report.pruned).toBe(0);
});

test.runIf(canMount)('a store that hangs is no store of missing sectors', async () => {
  const source = await stores.store('source');
  await makeSector(source, 1);
  const mount = new Mount(source.path, store.path);
  try {
    await mount.mount();
    await attach(store);
    mount.hang();
    const report = await attach(store, { prune: true, silenceMs: 1_000 });
    expect(report).toMatchObject({ pruned: 0, leftOut: [], failure: { code: 'store-does-not-answer' } });
    expect(await copies(1)).toEqual(['a both']);
  } finally {
    mount.end();
  }
});

test('new sectors of a growing store come into the index when they are whole', async () => {
  const growing = { ...store, growing: true, denyMiners: [2_000] };
  let trouble: string | undefined;
  const checker = { stores: [growing], trouble: async () => trouble };
  const indexNew = () => indexNewSectors({ ...components(), checker }, growing, new AbortController().signal);
  await makeSector(store, 1);
  expect(await indexNew()).toBe(1);
  await makeSealed(store, 2);
  expect(await indexNew()).toBe(0);
  await makeCache(store, 2);
  expect(await indexNew()).toBe(1);
  expect(await indexNew()).toBe(0);
  expect([await copies(1), await copies(2)]).toEqual([['a both'], ['a both']]);
  await makeSector(store, 3);
  trouble = 'it is not itself';
  await expect(indexNew()).rejects.toMatchObject({ code: 'store-not-itself' });
  expect(await copies(3)).toEqual([]);
});

test('with a pattern, too, another store at the path is refused, and the right one is not', async () => {
  for (const number of [1, 2, 3, 4]) await makeSector(store, number);
  await attach(store);
  await makeSector(store, 10);
  expect(await attach(store, { pattern: 's-t01000-1[0-9]' })).toMatchObject({ counts: { ok: 1 }, added: 1 });
  await rename(store.path, join(stores.root, 'real'));
  store = await stores.store('a');
  for (const number of [4, 11]) await makeSector(store, number);
  expect(await attach(store, { pattern: 's-t01000-1[0-9]' })).toMatchObject({
    added: 0,
    failure: { code: 'store-not-itself' },
  });
  expect(await copies(11)).toEqual([]);
});

test('a folder that is another store is refused under a second name', async () => {
  await makeSector(store, 1);
  await attach(store);
  const other = { ...store, name: 'b', path: join(stores.root, 'b') };
  await symlink(store.path, other.path);
  await expect(attach(other)).rejects.toMatchObject({
    code: 'store-same-folder',
    message: expect.stringContaining(`${other.path} is the same folder as the store a at ${store.path}`),
  });
  await database.db.kysely.deleteFrom('stores').execute();
  await expect(attach(other, { configured: [store, other] })).rejects.toMatchObject({ code: 'store-same-folder' });
  await rm(other.path);
  await makeSector(await stores.store('b'), 2);
  expect(await attach(other, { configured: [store, other] })).toMatchObject({ counts: { ok: 1 } });
});

test('another store at the path neither comes into the index nor takes anything out of it', async () => {
  for (const number of [1, 2, 3, 4]) await makeSector(store, number);
  await attach(store);
  await rename(store.path, join(stores.root, 'real'));
  store = await stores.store('a');
  await makeSector(store, 11);
  expect(await attach(store)).toMatchObject({ added: 0, failure: { code: 'store-not-itself' } });
  // A copy of one of them is not the store.
  await makeSector(store, 4);
  expect(await attach(store, { prune: true })).toMatchObject({ pruned: 0, failure: { code: 'store-not-itself' } });
  expect(await copies(1)).toEqual(['a both']);
});

test('a wrong store with a copy of one sector comes not into the index, and makes nothing of the right one vanish', async () => {
  for (let number = 0; number < 10; number++) await makeSector(store, number);
  await attach(store);
  await rename(store.path, join(stores.root, 'real'));
  store = await stores.store('a');
  for (let number = 5; number < 12; number += 6) await makeSector(store, number);
  for (const prune of [false, true, true]) {
    expect(await attach(store, { prune })).toMatchObject({
      added: 0,
      pruned: 0,
      failure: { code: 'store-not-itself' },
    });
  }
  expect([await copies(1), await copies(11)]).toEqual([['a both'], []]);
});

test('a store of which nearly half is away is not pruned', async () => {
  for (let number = 0; number < 20; number++) await makeSector(store, number);
  await attach(store);
  for (let number = 11; number < 20; number++) {
    for (const folder of ['sealed', 'cache'])
      await rm(join(store.path, `${folder}/s-t01000-${number}`), { recursive: true });
  }
  expect(await attach(store, { prune: true })).toMatchObject({ pruned: 0, failure: { code: 'store-not-itself' } });
  expect(await copies(19)).toEqual(['a both']);
});

describe('a store that begins empty', () => {
  const scanned = async () => [...(await index.scannedStores())];

  test('is known once it was attached', async () => {
    const report = await attach(store);
    expect(report.failure).toBeUndefined();
    expect(report.isEmpty).toBe(true);
    expect(await scanned()).toEqual(['a']);
  });

  test('is not what a store is whose sectors are away', async () => {
    await makeSector(store, 1);
    await attach(store);
    await rm(store.path, { recursive: true });
    await mkdir(store.path);
    expect(await attach(store)).toMatchObject({ isEmpty: false, failure: { code: 'store-empty' } });
  });

  test.runIf(canMount)('and grows is known where it is a mount of its own', async () => {
    const growing = { ...store, growing: true };
    const checker = { stores: [growing], trouble: async () => 'it holds nothing' };
    const indexNew = () => indexNewSectors({ ...components(), checker }, growing, new AbortController().signal);
    await expect(indexNew()).rejects.toMatchObject({ code: 'store-not-itself' });
    expect(await scanned()).toEqual([]);
    const mount = new Mount((await stores.store('source')).path, store.path);
    try {
      await mount.mount();
      expect(await indexNew()).toBe(0);
      expect(await scanned()).toEqual(['a']);
    } finally {
      mount.end();
    }
  });
});
