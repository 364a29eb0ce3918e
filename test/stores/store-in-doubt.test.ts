import { mkdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { buildCheckProcess, MINER, makeSector, SIZE, TestStores } from './test-stores.ts';
import { holding, ToldIndex } from './told-index.ts';

let stores: TestStores;
let a: PersistStore;
let index: ToldIndex;
const checkers: StoreChecker[] = [];
const all = range(0, 40);

beforeAll(buildCheckProcess);
beforeEach(async () => {
  stores = await TestStores.make();
  a = await stores.store('a');
  for (const number of all) await makeSector(a, number);
  index = new ToldIndex(holding('a', all));
});
afterEach(async () => {
  for (const checker of checkers.splice(0)) checker.close();
  await stores.remove();
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function newChecker(): StoreChecker {
  const checker = new StoreChecker({ clock: systemClock, logger: silentLogger, index }, { stores: [a] });
  checkers.push(checker);
  return checker;
}

/** How often each verdict was given. */
async function verdicts(checker: StoreChecker, numbers: readonly number[]): Promise<Record<string, number>> {
  const sectors = numbers.map((number) => ({ number, upgraded: false }));
  const counts: Record<string, number> = {};
  for (const { verdict } of await checker.check({ minerId: MINER, sectorSize: SIZE, sectors })) {
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
}

async function remove(numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    for (const folder of ['sealed', 'cache']) await rm(join(a.path, folder, `s-t01000-${number}`), { recursive: true });
  }
}

describe('the index', () => {
  test('that answered before and fails now makes nothing bad', async () => {
    const checker = newChecker();
    expect(await verdicts(checker, all)).toEqual({ good: 40 });
    await remove([7]);
    index.before = async () => Promise.reject(new Error('the database is away'));
    expect(await verdicts(checker, all)).toEqual({ good: 39, unknown: 1 });
    expect(await verdicts(checker, [100])).toEqual({ unknown: 1 });
    index.before = async () => {};
    expect(await verdicts(checker, all)).toEqual({ good: 39, bad: 1 });
  });

  test('that gives no answer is not waited for, and makes nothing bad', async () => {
    const checker = newChecker();
    expect(await verdicts(checker, all)).toEqual({ good: 40 });
    await remove([7]);
    index.before = () => new Promise(() => {});
    expect(await verdicts(checker, all)).toEqual({ good: 39, unknown: 1 });
  });

  test('of which a store was detached while we run knows nothing of it any more', async () => {
    const checker = newChecker();
    expect(await verdicts(checker, all)).toEqual({ good: 40 });
    index.tell({});
    index.isAttached = false;
    await remove(all.slice(20));
    expect(await verdicts(checker, all.slice(20, 24))).toEqual({ unknown: 4 });
  });
});

describe('a store of which a part is away', () => {
  test('is not itself, though the last checks were all of the other part', async () => {
    const checker = newChecker();
    for (let from = 0; from < 20; from += 4) {
      expect(await verdicts(checker, all.slice(from, from + 4))).toEqual({ good: 4 });
    }
    await remove(all.slice(20));
    for (let from = 20; from < 40; from += 4) {
      expect(await verdicts(checker, all.slice(from, from + 4))).toEqual({ unknown: 4 });
    }
  });

  test.each([
    [
      'whose cache folders are all empty',
      false,
      async (number: number) => {
        const folder = join(a.path, `cache/s-t01000-${number}`);
        await rm(folder, { recursive: true });
        await mkdir(folder);
      },
    ],
    [
      'whose sealed files are all cut',
      true,
      (number: number) => truncate(join(a.path, `sealed/s-t01000-${number}`), 5),
    ],
    [
      'whose sealed files are all empty',
      false,
      (number: number) => truncate(join(a.path, `sealed/s-t01000-${number}`), 0),
    ],
  ])('%s', async (_, looksLikeItself, harm) => {
    const checker = newChecker();
    expect(await verdicts(checker, all)).toEqual({ good: 40 });
    for (const number of all) await harm(number);
    expect(await verdicts(checker, all)).toEqual({ unknown: 40 });
    expect((await checker.trouble('a')) === undefined).toBe(looksLikeItself);
  });

  test('and one of which a single sector is wrong has a bad sector', async () => {
    const checker = newChecker();
    await truncate(join(a.path, 'sealed/s-t01000-5'), 0);
    for (let again = 0; again < 2; again++) expect(await verdicts(checker, all)).toEqual({ good: 39, bad: 1 });
  });
});

describe('another file system', () => {
  /** As after a remount: the folder is another one, and holds these. */
  async function remountWith(numbers: readonly number[]): Promise<void> {
    await rename(a.path, join(stores.root, 'before'));
    await mkdir(a.path);
    for (const number of numbers) await makeSector(a, number);
  }

  test('with an older copy of the store', async () => {
    const checker = newChecker();
    expect(await verdicts(checker, all)).toEqual({ good: 40 });
    await remountWith(all.slice(0, 32));
    for (let again = 0; again < 3; again++) expect(await verdicts(checker, all)).toEqual({ good: 32, unknown: 8 });
    expect(await checker.trouble('a')).toMatch('another file system than before lies there, and of 16 files');
  });

  test('is accepted by itself when all but a lost sector is there', async () => {
    const checker = newChecker();
    expect(await verdicts(checker, all)).toEqual({ good: 40 });
    await remountWith(all.slice(0, 39));
    expect(await verdicts(checker, all)).toEqual({ good: 39, unknown: 1 });
    expect(await checker.trouble('a')).toBeUndefined();
    expect(await verdicts(checker, all)).toEqual({ good: 39, bad: 1 });
  });
});

test('what a store is known by follows the index, once an hour where it is well', async () => {
  let passedMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passedMs };
  const told: unknown[] = [];
  const checker = new StoreChecker(
    { clock, logger: silentLogger, index },
    {
      stores: [a],
      sectorTimeoutMs: 300,
      onLook: ({ trouble }) => {
        told.push(trouble);
        // Nothing is being asked of the store now.
        if (told.length === 2) passedMs = 3_600_000;
      },
    },
  );
  checkers.push(checker);
  let asked = 0;
  const { shares } = ToldIndex.prototype;
  index.shares = async (only) => {
    asked++;
    expect(told.length).toBeGreaterThanOrEqual(2);
    return await shares.call(index, only);
  };
  checker.keepWatch();
  await expect.poll(() => asked, { timeout: 10_000 }).toBe(1);
  expect(new Set(told)).toEqual(new Set([undefined]));
});
