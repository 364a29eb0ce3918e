import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SectorIndex, type StoreShare } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const MINER = 1_000;
let database: TestDatabase;
let index: SectorIndex;

beforeAll(async () => {
  database = await createTestDatabase();
  index = new SectorIndex(database);
});
beforeEach(() => database.db.kysely.deleteFrom('store_sectors').execute());
afterAll(() => database.drop());

function share(
  store: string,
  sealed: Iterable<number>,
  cache: Iterable<number> = sealed,
  upgraded = false,
): StoreShare {
  return { store, minerId: MINER, upgraded, sealed: SectorSet.of(sealed), cache: SectorSet.of(cache) };
}

const wanted = (numbers: readonly number[], upgraded = false) => numbers.map((number) => ({ number, upgraded }));
const both = (store: string) => ({ store, hasSealed: true, hasCache: true });

test('tells all copies of a sector, and nothing of one that is nowhere', async () => {
  await index.add([share('a', [1, 2, 5_000]), share('b', [2, 3], [3]), share('b', [1], [1], true)]);
  const found = await index.locate(MINER, wanted([1, 2, 3, 4, 5_000]));
  expect(found.get(1)).toEqual([both('a')]);
  expect(found.get(2)).toEqual([both('a'), { store: 'b', hasSealed: true, hasCache: false }]);
  expect(found.get(3)).toEqual([both('b')]);
  expect(found.has(4)).toBe(false);
  expect(found.get(5_000)).toEqual([both('a')]);
  expect(await index.locate(MINER, wanted([1, 2], true))).toEqual(new Map([[1, [both('b')]]]));
  expect(await index.locate(MINER + 1, wanted([1]))).toEqual(new Map());
});

test('gives what a store holds, in parts of one miner', async () => {
  await index.add([share('a', [1, 70_000], [1]), share('b', [1])]);
  const [only, ...others] = await index.shares({ store: 'a' });
  expect(others).toEqual([]);
  expect([...(only?.sealed ?? [])]).toEqual([1, 70_000]);
  expect([...(only?.cache ?? [])]).toEqual([1]);
  expect((await index.shares({ minerId: MINER })).map(({ store }) => store)).toEqual(['a', 'b']);
});

test('keeps what others add and take out at the same time', async () => {
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  await Promise.all(numbers.map((number) => index.add([share('a', [number])])));
  expect((await index.locate(MINER, wanted(numbers))).size).toBe(20);
  await Promise.all(
    numbers.map((number) => (number === 7 ? index.add([share('a', [50])]) : index.remove([share('a', [number])]))),
  );
  expect([...(await index.locate(MINER, wanted([...numbers, 50]))).keys()]).toEqual([7, 50]);
});

test('takes out what is gone, and whole rows with it', async () => {
  await index.add([share('a', [1, 2, 5_000])]);
  await index.remove([share('a', [1, 5_000], [5_000])]);
  expect(await index.locate(MINER, wanted([1, 2, 5_000]))).toEqual(
    new Map([
      [1, [{ store: 'a', hasSealed: false, hasCache: true }]],
      [2, [both('a')]],
    ]),
  );
  expect(await database.db.kysely.selectFrom('store_sectors').select('block').execute()).toEqual([{ block: 0 }]);
});

test('writes nothing when all is known', async () => {
  await index.add([share('a', [1, 2])]);
  const before = await database.db.kysely.selectFrom('store_sectors').selectAll().execute();
  await index.add([share('a', [2])]);
  expect(await database.db.kysely.selectFrom('store_sectors').selectAll().execute()).toEqual(before);
});
