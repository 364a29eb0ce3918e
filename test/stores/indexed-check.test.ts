import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import type { SectorPlaces } from '../../src/stores/indexed-places.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { buildCheckProcess, checkProcesses, MINER, makeSector, SIZE, TestStores } from './test-stores.ts';
import { holding, ToldIndex } from './told-index.ts';

let stores: TestStores;
let a: PersistStore;
let b: PersistStore;
const checkers: StoreChecker[] = [];

beforeAll(buildCheckProcess);
beforeEach(async () => {
  stores = await TestStores.make();
  a = await stores.store('a');
  b = await stores.store('b');
});
afterEach(async () => {
  for (const checker of checkers.splice(0)) checker.close();
  await stores.remove();
});

function sets(numbers: readonly number[]) {
  const set = SectorSet.of(numbers);
  return { sealed: set, cache: set };
}

function checkerWith(index: SectorPlaces, of: readonly PersistStore[] = [a, b]): StoreChecker {
  const checker = new StoreChecker(
    { clock: systemClock, logger: silentLogger, index },
    { stores: of, sectorTimeoutMs: 2_000 },
  );
  checkers.push(checker);
  return checker;
}

async function check(checker: StoreChecker, ...numbers: number[]) {
  const sectors = numbers.map((number) => ({ number, upgraded: false }));
  return await checker.check({ minerId: MINER, sectorSize: SIZE, sectors });
}

describe('with an index', () => {
  test('the store that is named there is asked first', async () => {
    for (const store of [a, b]) await makeSector(store, 1);
    expect(await check(checkerWith(new ToldIndex({ 1: ['b'] })), 1)).toMatchObject([{ verdict: 'good', store: 'b' }]);
    expect(await check(checkerWith(new ToldIndex({ 1: ['a'] })), 1)).toMatchObject([{ verdict: 'good', store: 'a' }]);
  });

  test('of several copies that of a healthy store comes first', async () => {
    for (const store of [a, b]) await makeSector(store, 1);
    const checker = checkerWith(new ToldIndex({ 1: ['a', 'b'] }));
    await rename(join(a.path, 'sealed/s-t01000-1'), join(a.path, 'sealed/other'));
    expect(await checker.trouble('a')).toBe('none of the sectors seen there before is there');
    expect(await checker.trouble('b')).toBeUndefined();
    await rename(join(a.path, 'sealed/other'), join(a.path, 'sealed/s-t01000-1'));
    expect(await check(checker, 1)).toMatchObject([{ verdict: 'good', store: 'b' }]);
  });

  test('a sector that is elsewhere is found, and the index learns it once', async () => {
    await makeSector(a, 1);
    await makeSector(b, 2);
    const index = new ToldIndex({ 1: ['a'], 2: ['a'] });
    expect(await check(checkerWith(index), 1, 2)).toMatchObject([{ store: 'a' }, { verdict: 'good', store: 'b' }]);
    expect(index.added.map(({ store, sealed, cache }) => [store, [...sealed], [...cache]])).toEqual([['b', [2], [2]]]);
  });

  test('a store that had the sector and is not configured any more keeps it from being bad', async () => {
    await makeSector(a, 1);
    await makeSector(b, 9);
    const [gone, lost] = await check(checkerWith(new ToldIndex({ 1: ['a'], 2: ['c'], 3: ['a'] })), 2, 3);
    expect(gone).toMatchObject({ verdict: 'unknown', reason: expect.stringContaining('the store c, which had it') });
    expect(lost).toMatchObject({ verdict: 'bad' });
  });

  test('what belongs to a store is known from the start', async () => {
    await makeSector(a, 7);
    await makeSector(b, 8);
    const [found] = await check(checkerWith(new ToldIndex({ 1: ['a'], 2: ['a'], 8: ['b'] })), 1);
    expect(found).toEqual({
      number: 1,
      verdict: 'unknown',
      reason: 'a: none of the sectors seen there before is there',
    });
  });

  test('a folder that is not mounted after a restart is missed', async () => {
    await makeSector(a, 1);
    await makeSector(b, 2);
    await rename(join(a.path, 'cache'), join(a.path, 'elsewhere'));
    await mkdir(join(a.path, 'cache'));
    expect(await check(checkerWith(new ToldIndex({ 1: ['a'], 2: ['b'] })), 1, 2)).toMatchObject([
      { verdict: 'unknown', reason: 'a: cache/ is gone or empty, and held sectors before' },
      { verdict: 'good' },
    ]);
  });

  test('a store is known by sectors of each of its miners', async () => {
    await makeSector(a, 1);
    const of = (minerId: number, ...numbers: number[]) => {
      const set = SectorSet.of(numbers);
      return { store: 'a', minerId, upgraded: false, sealed: set, cache: set };
    };
    const index = new ToldIndex({ 1: ['a'] });
    index.shares = async ({ store }) => (store === 'a' ? [of(100, 1), of(MINER, 1)] : []);
    expect(await checkerWith(index).trouble('a')).toBeUndefined();
  });

  test('an index that fails is done without', async () => {
    await makeSector(a, 1);
    await makeSector(b, 2);
    const failing = async () => Promise.reject(new Error('the database is away'));
    const checker = checkerWith({ locate: failing, shares: failing, scannedStores: failing, add: failing });
    // Nobody knows what belongs to the stores: below a mount point may lie anything.
    expect(await check(checker, 1, 2, 3)).toMatchObject([
      { verdict: 'good' },
      { verdict: 'good' },
      { verdict: 'unknown', reason: expect.stringContaining('the index') },
    ]);
  });

  test('what lies in a wrong place at its path is not what it is known by from then on', async () => {
    for (const number of [1, 2]) await makeSector(a, number);
    for (const number of [11, 12, 13, 14, 15]) await makeSector(b, number);
    const index = new ToldIndex({ 1: ['a'], 2: ['a'] });
    const checker = checkerWith(index);
    expect(await check(checker, 1, 2)).toMatchObject([{ verdict: 'good' }, { verdict: 'good' }]);
    await rename(a.path, join(stores.root, 'real-a'));
    await symlink(b.path, a.path);
    for (const number of [11, 12, 13, 14, 15]) await check(checker, number);
    expect(await check(checker, 1)).toMatchObject([{ verdict: 'unknown' }]);
    expect(index.added.filter(({ store }) => store === 'a')).toEqual([]);
  });
});

describe('a part of a store is not the store', () => {
  const all = Array.from({ length: 24 }, (_, index) => index + 1);

  test.each([
    ['leftovers below its mount point', all.slice(0, 1)],
    ['half of it', all.slice(0, 12)],
    ['two thirds of it', all.slice(0, 16)],
  ])('%s', async (_, there) => {
    for (const number of there) await makeSector(a, number);
    const [found, lost] = await check(checkerWith(new ToldIndex(holding('a', all)), [a]), 1, 24);
    expect(found).toMatchObject({ verdict: 'good' });
    expect(lost).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringMatching(/^a: of \d+ files of sectors seen there before/),
    });
  });

  test('and is it again when the index is told that the others were removed', async () => {
    for (const number of all.slice(0, 12)) await makeSector(a, number);
    const index = new ToldIndex(holding('a', all));
    const checker = checkerWith(index, [a]);
    expect(await check(checker, 24)).toMatchObject([{ verdict: 'unknown' }]);
    index.tell(holding('a', all.slice(0, 13)));
    checker.reload([a]);
    await expect.poll(() => checker.trouble('a')).toBeUndefined();
    expect(await check(checker, 13)).toMatchObject([{ verdict: 'bad' }]);
  });

  test('where much of what is looked for at once is gone, none of it is bad, and a little is', async () => {
    const [known, lost] = [all.slice(0, 16), all.slice(16)];
    for (const number of known) await makeSector(a, number);
    const index = new ToldIndex(holding('a', all));
    index.shares = async ({ store }) =>
      store === 'a' ? [{ store, minerId: MINER, upgraded: false, ...sets(known) }] : [];
    const checker = checkerWith(index, [a]);
    const checks = await check(checker, ...all);
    expect(checks.filter(({ verdict }) => verdict === 'good')).toHaveLength(16);
    for (const one of checks.slice(16)) {
      expect(one).toMatchObject({
        verdict: 'unknown',
        reason: 'a: of 24 sectors looked for there lately 8 are gone or have wrong sizes; is all of it mounted?',
      });
    }
    const few = await check(checkerWith(index, [a]), ...lost.slice(0, 4));
    expect(new Set(few.map(({ verdict }) => verdict))).toEqual(new Set(['bad']));
    // What is whole in another store was moved there.
    for (const number of lost) await makeSector(b, number);
    const both = checkerWith(index);
    expect((await check(both, ...all, 25)).map(({ verdict }) => verdict)).toEqual([...all.map(() => 'good'), 'bad']);
  });

  test('what a store lacks that was never attached says nothing, until it is', async () => {
    await makeSector(a, 1);
    const index = new ToldIndex({ 1: ['a'] });
    index.isAttached = false;
    const checker = checkerWith(index, [a]);
    expect(await check(checker, 1, 2)).toMatchObject([
      { verdict: 'good' },
      { verdict: 'unknown', reason: expect.stringContaining('a: it was never attached') },
    ]);
    expect(await checker.trouble('a')).toBeUndefined();
    index.isAttached = true;
    expect(await check(checker, 2)).toMatchObject([{ verdict: 'bad' }]);
  });

  test('a folder that two stores lead to is in doubt as both', async () => {
    await makeSector(a, 1);
    await rm(b.path, { recursive: true });
    await symlink(a.path, b.path);
    const checker = checkerWith(new ToldIndex({ 1: ['a'] }));
    const [found, lost] = await check(checker, 1, 2);
    expect(found).toMatchObject({ verdict: 'good', store: 'a' });
    expect(lost).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('it is the same folder as the store'),
    });
    expect(await checker.trouble('a')).toBe(
      `it is the same folder as the store b at ${b.path}: one of them is not mounted, or configured twice`,
    );
    expect(await checker.trouble('b')).toContain('the same folder as the store a');
    await rm(b.path);
    await makeSector(await stores.store('b'), 3);
    // Where it was looked at first, nothing but the folder told what b is.
    checker.reload([a, b]);
    for (const name of ['b', 'a']) expect(await checker.trouble(name)).toBeUndefined();
    expect(await check(checker, 2)).toMatchObject([{ verdict: 'bad' }]);
  });
});

describe('stores that are changed while it runs', () => {
  test('one that stays is asked by the process it has, one that goes has none', async () => {
    await makeSector(a, 1);
    await makeSector(b, 2);
    const checker = checkerWith(new ToldIndex());
    await check(checker, 1, 2);
    const before = await checkProcesses(a);
    checker.reload([{ ...a, weight: 3 }]);
    await expect.poll(() => checkProcesses(b)).toEqual([]);
    expect(await check(checker, 1)).toMatchObject([{ verdict: 'good' }]);
    expect(await checkProcesses(a)).toEqual(before);
    checker.reload([{ ...a, denyMiners: [MINER] }, b]);
    expect(await check(checker, 2)).toMatchObject([{ verdict: 'good', store: 'b' }]);
    expect(await check(checker, 1)).toMatchObject([{ verdict: 'bad' }]);
  });
});

describe('links', () => {
  test('inside of the store are followed, and those out of it are not', async () => {
    const { sealed, cache } = await makeSector(a, 1);
    const other = await makeSector(a, 2);
    const foreign = await makeSector(await stores.store('elsewhere'), 2);
    await mkdir(join(a.path, 'moved'));
    await rename(sealed, join(a.path, 'moved/sealed'));
    await symlink('../moved/sealed', sealed);
    await rm(other.cache, { recursive: true });
    await symlink(foreign.cache, other.cache);
    const [one, two] = await check(checkerWith(new ToldIndex(), [a]), 1, 2);
    expect(one).toMatchObject({ verdict: 'good', cacheDir: cache });
    expect(two).toEqual({
      number: 2,
      verdict: 'unknown',
      reason: 'a: cache/s-t01000-2 is a link out of the store, which is not followed',
    });
  });

  test('of the store itself and its folders are as good as what they lead to', async () => {
    await makeSector(a, 1);
    await mkdir(join(stores.root, 'disk'));
    await rename(join(a.path, 'sealed'), join(stores.root, 'disk/sealed'));
    await symlink(join(stores.root, 'disk/sealed'), join(a.path, 'sealed'));
    await symlink(a.path, join(stores.root, 'linked'));
    const linked = { ...a, path: join(stores.root, 'linked') };
    expect(await check(checkerWith(new ToldIndex(), [linked]), 1)).toMatchObject([{ verdict: 'good' }]);
  });
});
