import { renameSync } from 'node:fs';
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { type ScanInit, scanStore } from '../../src/stores/scan/scan-store.ts';
import type { ScannedSector, ScanProgress, StrangeEntry } from '../../src/stores/scan/scanned-sector.ts';
import { canMount, Mount } from '../stores/bindfs.ts';
import { filesOf, MINER, makeCache, makeSealed, makeSector, SIZE, TestStores } from '../stores/test-stores.ts';
import { silentLogger } from '../support/silent-logger.ts';

let stores: TestStores;
let store: PersistStore;

beforeEach(async () => {
  stores = await TestStores.make();
  store = await stores.store('store');
});
afterEach(() => stores.remove());

async function scan(init: Partial<ScanInit> = {}) {
  const sectors: ScannedSector[] = [];
  const strange: StrangeEntry[] = [];
  let strangeCount = 0;
  for await (const batch of scanStore({ clock: systemClock, logger: silentLogger }, { path: store.path, ...init })) {
    sectors.push(...batch.sectors);
    strange.push(...batch.strange);
    strangeCount += batch.strangeCount;
  }
  sectors.sort((left, right) => left.number - right.number || Number(left.upgraded) - Number(right.upgraded));
  return { sectors, strange, strangeCount };
}

const numbersOf = (sectors: readonly ScannedSector[]) => sectors.map(({ number }) => number);
const kindsOf = (sectors: readonly ScannedSector[]) => sectors.map(({ sealed, cache }) => `${sealed.is} ${cache.is}`);

test('finds sectors, upgraded ones too, and tells their size from their files', async () => {
  await makeSector(store, 1);
  await makeSector(store, 1, { upgraded: true });
  await makeSector(store, 2, { sectorSize: 2 ** 23 });
  const { sectors, strangeCount } = await scan();
  expect(sectors).toEqual([
    expect.objectContaining({ minerId: MINER, number: 1, upgraded: false, sectorSize: SIZE }),
    expect.objectContaining({ minerId: MINER, number: 1, upgraded: true, sectorSize: SIZE }),
    expect.objectContaining({ minerId: MINER, number: 2, upgraded: false, sectorSize: 2 ** 23 }),
  ]);
  expect(new Set(kindsOf(sectors))).toEqual(new Set(['good good']));
  expect(strangeCount).toBe(0);
});

test.each([
  [2 ** 35, 8],
  [2 ** 36, 16],
])('knows the files of sectors of %d bytes', async (sectorSize, trees) => {
  const { sealed, cache } = filesOf(7, { sectorSize });
  await mkdir(join(store.path, 'sealed'));
  await writeFile(join(store.path, sealed.path), '');
  await truncate(join(store.path, sealed.path), sectorSize);
  await mkdir(join(store.path, cache.path), { recursive: true });
  for (const { name, bytes = 1 } of cache.files) {
    await writeFile(join(store.path, cache.path, name), '');
    await truncate(join(store.path, cache.path, name), bytes);
  }
  expect((await scan()).sectors).toEqual([
    expect.objectContaining({ sectorSize, sealed: expect.objectContaining({ is: 'good' }) }),
  ]);
  await rm(join(store.path, sealed.path));
  expect((await scan()).sectors).toEqual([
    expect.objectContaining({ sectorSize, cache: expect.objectContaining({ is: 'good' }) }),
  ]);
  await rm(join(store.path, cache.path, `sc-02-data-tree-r-last-${trees - 2}.dat`));
  expect(kindsOf((await scan()).sectors)).toEqual(['missing missing']);
});

test('tells what is missing and what is wrong', async () => {
  await makeSealed(store, 1);
  await makeCache(store, 2);
  await rm(join((await makeSector(store, 3)).cache, 'p_aux'));
  await truncate((await makeSector(store, 4)).sealed, 100);
  await truncate(join((await makeSector(store, 5)).cache, 'p_aux'), 63);
  await mkdir(join(store.path, filesOf(6).sealed.path));
  const { sectors } = await scan();
  expect(kindsOf(sectors)).toEqual([
    'good missing',
    'missing good',
    'good missing',
    'wrong good',
    'good wrong',
    'wrong missing',
  ]);
  expect(sectors[2]?.cache.reason).toBe('cache/s-t01000-3/p_aux does not exist');
  expect(sectors[3]?.sealed.reason).toBe('sealed/s-t01000-4 has 100 bytes, which is no sector size');
});

test('takes only names of the pattern, and what is not known', async () => {
  for (const number of [1, 2, 11, 12]) await makeSector(store, number);
  expect(numbersOf((await scan({ pattern: 's-t01000-1*' })).sectors)).toEqual([1, 11, 12]);
  const known = [{ minerId: MINER, upgraded: false, sectors: SectorSet.of([1, 11]) }];
  expect(numbersOf((await scan({ known })).sectors)).toEqual([2, 12]);
  await expect(scan({ pattern: '[' })).rejects.toMatchObject({ code: 'bad-pattern' });
});

test('tells how far it is', async () => {
  for (const number of [1, 2, 3]) await makeSector(store, number);
  const seen: ScanProgress[] = [];
  await scan({ onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toEqual({ listed: 3, looked: 3, isListed: true });
});

test('its folders may be links, since they were made by whoever runs the host', async () => {
  const disk = await stores.store('disk');
  await makeSector(disk, 1);
  const linked = await makeSector(disk, 2);
  await rename(linked.sealed, join(disk.path, 'cache/moved'));
  for (const folder of ['sealed', 'cache']) await symlink(join(disk.path, folder), join(store.path, folder));
  await symlink(join(disk.path, 'cache/moved'), linked.sealed);
  expect(kindsOf((await scan()).sectors)).toEqual(['good good', 'good good']);
});

describe('hostile names', () => {
  test('are reported and not followed', async () => {
    const outside = await stores.store('outside');
    const other = await makeSector(outside, 2);
    await makeSector(store, 1);
    await symlink(other.sealed, join(store.path, 'sealed/s-t01000-2'));
    await symlink(other.cache, join(store.path, 'cache/s-t01000-2'));
    const linked = await makeSector(store, 3);
    await rm(join(linked.cache, 'p_aux'));
    await symlink(join(other.cache, 'p_aux'), join(linked.cache, 'p_aux'));
    await symlink('/nowhere', join(store.path, 'sealed/s-t01000-4'));
    for (const name of ['s-t01000-9 9', 's-t0x-1', 'a\nb', '..\\x', 's-t01000-1'.padEnd(255, 'x')])
      await writeFile(join(store.path, 'sealed', name), '');
    await writeFile(Buffer.concat([Buffer.from(join(store.path, 'cache/')), Buffer.from([0xff, 0xfe, 0x1b])]), '');
    const { sectors, strange, strangeCount } = await scan();
    expect(kindsOf(sectors)).toEqual(['good good', 'wrong wrong', 'good wrong', 'unknown missing']);
    expect(sectors[1]?.sealed.reason).toBe('sealed/s-t01000-2 is a link out of the store, which is not followed');
    expect(sectors[1]?.cache.reason).toBe('cache/s-t01000-2 is a link out of the store, which is not followed');
    expect(sectors[2]?.cache.reason).toBe('cache/s-t01000-3/p_aux is a link out of the store, which is not followed');
    expect(strangeCount).toBe(6);
    expect(strange.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['s-t01000-9 9', 's-t0x-1', 'a\\nb', '��\\u001b']),
    );
  });

  test('links inside of the store are followed', async () => {
    const { sealed, cache } = await makeSector(store, 1);
    await rename(sealed, join(store.path, 'elsewhere'));
    await symlink('../elsewhere', sealed);
    await rename(cache, join(store.path, 'a-cache'));
    await symlink('../a-cache', cache);
    expect(kindsOf((await scan()).sectors)).toEqual(['good good']);
  });

  test('the folders at the top may be links, as for the existence check', async () => {
    const outside = await stores.store('outside');
    await makeSector(outside, 2);
    for (const folder of ['sealed', 'cache']) await symlink(join(outside.path, folder), join(store.path, folder));
    expect(kindsOf((await scan()).sectors)).toEqual(['good good']);
  });

  test('thousands of them are counted, and some named', async () => {
    await mkdir(join(store.path, 'sealed'));
    for (let index = 0; index < 1_500; index++) await writeFile(join(store.path, 'sealed', `x${index}`), '');
    const { strange, strangeCount } = await scan();
    expect(strangeCount).toBe(1_500);
    expect(strange).toHaveLength(1_000);
  });
});

describe('a store that cannot be scanned', () => {
  test('holds nothing', async () => {
    await expect(scan()).rejects.toMatchObject({ code: 'store-empty' });
    await mkdir(join(store.path, 'sealed'));
    await expect(scan()).rejects.toMatchObject({ code: 'store-empty' });
  });

  test('is not there, or is no folder', async () => {
    await expect(scan({ path: join(store.path, 'none') })).rejects.toMatchObject({ code: 'store-not-readable' });
    await writeFile(join(store.path, 'sealed'), '');
    await expect(scan()).rejects.toMatchObject({ code: 'store-not-readable' });
  });

  test('was ended by the caller', async () => {
    await makeSector(store, 1);
    const ending = new AbortController();
    await expect(scan({ signal: ending.signal, onProgress: () => ending.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });

  test.runIf(canMount)('hangs', async () => {
    const source = await stores.store('source');
    await makeSector(source, 1);
    const mount = new Mount(source.path, store.path);
    try {
      await mount.mount();
      expect(numbersOf((await scan()).sectors)).toEqual([1]);
      mount.hang();
      await expect(scan({ silenceMs: 1_000 })).rejects.toMatchObject({ code: 'store-does-not-answer' });
      mount.goOn();
      expect(numbersOf((await scan()).sectors)).toEqual([1]);
    } finally {
      mount.end();
    }
  });

  test('is replaced meanwhile', async () => {
    const other = await stores.store('other');
    for (const number of [1, 2, 3]) for (const one of [store, other]) await makeSector(one, number);
    let isReplaced = false;
    const seen = scan({
      // The other two take two more seconds.
      sectorsPerSecond: 1,
      onProgress: ({ looked }) => {
        if (looked !== 1 || isReplaced) return;
        isReplaced = true;
        renameSync(store.path, join(stores.root, 'away'));
        renameSync(other.path, store.path);
      },
    });
    await expect(seen).rejects.toMatchObject({ code: 'store-replaced' });
  });
});
