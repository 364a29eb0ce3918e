import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import {
  buildCheckProcess,
  checkProcesses,
  filesOf,
  MINER,
  makeCache,
  makeSealed,
  makeSector,
  SIZE,
  TestStores,
} from './test-stores.ts';

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

function checker(of: readonly PersistStore[], sectorTimeoutMs = 5_000): StoreChecker {
  const made = new StoreChecker({ clock: systemClock, logger: silentLogger }, { stores: of, sectorTimeoutMs });
  checkers.push(made);
  return made;
}

function ask(of: StoreChecker, numbers: readonly number[], init: { upgraded?: boolean; signal?: AbortSignal } = {}) {
  const { upgraded = false, ...rest } = init;
  return of.check({
    minerId: MINER,
    sectorSize: SIZE,
    sectors: numbers.map((number) => ({ number, upgraded })),
    ...rest,
  });
}

describe('where sectors lie', () => {
  test('all is there, in one store or in two', async () => {
    await makeSector(a, 1);
    await makeSealed(a, 2);
    await makeCache(b, 2);
    await makeSector(b, 3, { upgraded: true });
    const both = checker([a, b]);
    expect(await ask(both, [2, 1])).toEqual([
      {
        number: 2,
        verdict: 'good',
        store: 'a',
        sealedFile: `${a.path}/sealed/s-t01000-2`,
        cacheDir: `${b.path}/cache/s-t01000-2`,
      },
      {
        number: 1,
        verdict: 'good',
        store: 'a',
        sealedFile: `${a.path}/sealed/s-t01000-1`,
        cacheDir: `${a.path}/cache/s-t01000-1`,
      },
    ]);
    expect(await ask(both, [3], { upgraded: true })).toEqual([
      {
        number: 3,
        verdict: 'good',
        store: 'b',
        sealedFile: `${b.path}/update/s-t01000-3`,
        cacheDir: `${b.path}/update-cache/s-t01000-3`,
      },
    ]);
  });

  test('a sector that moves to another store is found again', async () => {
    await makeSector(a, 1);
    await makeSector(a, 2);
    await makeSector(b, 3);
    const both = checker([a, b]);
    expect(await ask(both, [1])).toMatchObject([{ store: 'a' }]);
    await rename(join(a.path, 'sealed/s-t01000-1'), join(b.path, 'sealed/s-t01000-1'));
    await rename(join(a.path, 'cache/s-t01000-1'), join(b.path, 'cache/s-t01000-1'));
    expect(await ask(both, [1])).toMatchObject([{ verdict: 'good', store: 'b' }]);
  });

  test('stores of other miners are not looked at, and deny wins', async () => {
    await makeSector(a, 1);
    expect(await ask(checker([{ ...a, allowMiners: [7] }]), [1])).toEqual([
      { number: 1, verdict: 'unknown', reason: 'no store is configured for miner 1000' },
    ]);
    expect(await ask(checker([{ ...a, allowMiners: [MINER], denyMiners: [MINER] }]), [1])).toMatchObject([
      { verdict: 'unknown' },
    ]);
    expect(await ask(checker([{ ...a, allowMiners: [MINER] }]), [1])).toMatchObject([{ verdict: 'good' }]);
  });
});

describe('a sector is bad, and only it', () => {
  const ways: [string, string, (sector: { sealed: string; cache: string }) => Promise<unknown>][] = [
    ['no sealed file', 'a: sealed/s-t01000-1 does not exist', ({ sealed }) => rm(sealed)],
    ['a cut sealed file', 'a: sealed/s-t01000-1 has 5 bytes instead of 2048', ({ sealed }) => truncate(sealed, 5)],
    ['no cache folder', 'a: cache/s-t01000-1 does not exist', ({ cache }) => rm(cache, { recursive: true })],
    ['no p_aux', 'a: cache/s-t01000-1/p_aux does not exist', ({ cache }) => rm(join(cache, 'p_aux'))],
    [
      'a cut p_aux',
      'a: cache/s-t01000-1/p_aux has 63 bytes instead of 64',
      ({ cache }) => truncate(join(cache, 'p_aux'), 63),
    ],
    ['no t_aux', 'a: cache/s-t01000-1/t_aux does not exist', ({ cache }) => rm(join(cache, 't_aux'))],
    [
      'a tree of a wrong size',
      'a: cache/s-t01000-1/sc-02-data-tree-r-last.dat has 64 bytes instead of 32',
      ({ cache }) => truncate(join(cache, 'sc-02-data-tree-r-last.dat'), 64),
    ],
    [
      'a folder in place of the sealed file',
      'a: sealed/s-t01000-1 is not a regular file',
      async ({ sealed }) => {
        await rm(sealed);
        await mkdir(sealed);
      },
    ],
    [
      'a FIFO in place of the sealed file',
      'a: sealed/s-t01000-1 is not a regular file',
      async ({ sealed }) => {
        await rm(sealed);
        execFileSync('mkfifo', [sealed]);
      },
    ],
  ];

  test.each(ways)('%s', async (_, reason, harm) => {
    const sector = await makeSector(a, 1);
    await makeSector(a, 2);
    await harm(sector);
    expect(await ask(checker([a]), [1, 2])).toMatchObject([
      { number: 1, verdict: 'bad', reason },
      { number: 2, verdict: 'good' },
    ]);
  });

  test('in no store at all', async () => {
    await makeSector(a, 2);
    await makeSector(b, 3);
    expect(await ask(checker([a, b]), [1])).toEqual([
      { number: 1, verdict: 'bad', reason: 'sealed/s-t01000-1 is in none of 2 stores' },
    ]);
  });

  test('it is bad again when asked again, and good when it is back', async () => {
    const { sealed } = await makeSector(a, 1);
    await makeSector(a, 2);
    const one = checker([a]);
    expect(await ask(one, [1, 2])).toMatchObject([{ verdict: 'good' }, { verdict: 'good' }]);
    await rm(sealed);
    for (let look = 0; look < 3; look++) expect(await ask(one, [1])).toMatchObject([{ verdict: 'bad' }]);
    await makeSealed(a, 1);
    expect(await ask(one, [1])).toMatchObject([{ verdict: 'good' }]);
  });
});

describe('unknown is not bad', () => {
  test('a store that is not there, and sectors of others are good all the same', async () => {
    await makeSector(a, 1);
    const gone = { ...b, path: join(stores.root, 'not-mounted') };
    const [one, two] = await ask(checker([a, gone]), [1, 2]);
    expect(one).toMatchObject({ verdict: 'good' });
    expect(two).toMatchObject({ verdict: 'unknown', reason: expect.stringMatching(/^b: ENOENT.*not-mounted/) });
  });

  test('a mount point with nothing in it', async () => {
    expect(await ask(checker([a]), [1])).toEqual([
      { number: 1, verdict: 'unknown', reason: 'a: the store holds nothing; is it mounted?' },
    ]);
  });

  test('a store whose sealed folder went away, or is empty of a sudden', async () => {
    await makeSector(a, 1);
    await makeSector(a, 2);
    const one = checker([a]);
    await ask(one, [1, 2, 3]);
    await rename(join(a.path, 'sealed'), join(a.path, 'moved'));
    expect(await ask(one, [1])).toMatchObject([
      { verdict: 'unknown', reason: 'a: sealed/ is gone or empty, and held sectors before' },
    ]);
    await mkdir(join(a.path, 'sealed'));
    expect(await ask(one, [1])).toMatchObject([{ verdict: 'unknown' }]);
    await rm(join(a.path, 'sealed'), { recursive: true });
    await rename(join(a.path, 'moved'), join(a.path, 'sealed'));
    expect(await ask(one, [1])).toMatchObject([{ verdict: 'good' }]);
  });

  test('no store has the folder that the sector belongs in', async () => {
    await makeSector(a, 1);
    expect(await ask(checker([a]), [1], { upgraded: true })).toEqual([
      { number: 1, verdict: 'unknown', reason: 'no store has a folder update/ with anything in it' },
    ]);
  });

  test('another store lies at the path', async () => {
    await makeSector(a, 1);
    await makeSector(b, 9);
    const one = checker([a]);
    expect(await ask(one, [1])).toMatchObject([{ verdict: 'good' }]);
    await rename(a.path, `${a.path}-away`);
    await rename(b.path, a.path);
    expect(await ask(one, [1])).toMatchObject([
      { verdict: 'unknown', reason: 'a: none of the sectors seen there before is there' },
    ]);
  });

  test('a link into a store that is not mounted', async () => {
    const { sealed } = await makeSector(a, 1);
    await makeSector(a, 2);
    await rm(sealed);
    await symlink(join(stores.root, 'elsewhere/s-t01000-1'), sealed);
    expect(await ask(checker([a]), [1, 2])).toMatchObject([
      { verdict: 'unknown', reason: 'a: sealed/s-t01000-1 is a link to something that is not there' },
      { verdict: 'good' },
    ]);
  });

  test('a look that fails', async () => {
    const { cache } = await makeSector(a, 1);
    await makeSector(a, 2);
    await rm(cache, { recursive: true });
    await symlink(cache, cache);
    expect(await ask(checker([a]), [1, 2])).toMatchObject([
      { verdict: 'unknown', reason: 'a: cache/s-t01000-1 cannot be looked at (ELOOP)' },
      { verdict: 'good' },
    ]);
  });

  test.runIf(process.getuid?.() !== 0)('a folder without permission', async () => {
    await makeSector(a, 1);
    await chmod(join(a.path, 'sealed'), 0);
    expect(await ask(checker([a]), [1])).toMatchObject([{ verdict: 'unknown' }]);
    await chmod(join(a.path, 'sealed'), 0o755);
  });
});

describe('a store that hangs', () => {
  test('costs its own sectors only, and serves again when it answers', async () => {
    await makeSector(a, 1);
    await makeSector(a, 2);
    await makeSector(b, 3);
    const both = checker([a, b], 400);
    expect(await ask(both, [1, 2, 3])).toMatchObject([{ verdict: 'good' }, { verdict: 'good' }, { verdict: 'good' }]);
    const [pid] = await checkProcesses(b);
    if (pid === undefined) throw new Error('no check process');
    process.kill(pid, 'SIGSTOP');
    const results = await ask(both, [1, 2, 3]);
    expect(results.slice(0, 2)).toMatchObject([{ verdict: 'good' }, { verdict: 'good' }]);
    // The frozen process is killed; a new one, which the store answers, looks for the sector at once or at the next check.
    expect(results[2]?.verdict).not.toBe('bad');
    expect(await checkProcesses(b)).not.toContain(pid);
    expect(await ask(both, [3])).toMatchObject([{ verdict: 'good', store: 'b' }]);
  });

  test('a check process that is killed is replaced', async () => {
    await makeSector(a, 1);
    const one = checker([a]);
    await ask(one, [1]);
    const [pid] = await checkProcesses(a);
    if (pid === undefined) throw new Error('no check process');
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await checkProcesses(a)).includes(pid)).toBe(false);
    expect((await ask(one, [1]))[0]?.verdict).not.toBe('bad');
    expect(await ask(one, [1])).toMatchObject([{ verdict: 'good' }]);
  });

  test('close ends the processes and the checks under way', async () => {
    await makeSector(a, 1);
    const one = checker([a]);
    await ask(one, [1]);
    const [pid] = await checkProcesses(a);
    if (pid === undefined) throw new Error('no check process');
    process.kill(pid, 'SIGSTOP');
    const under = ask(one, [1]);
    one.close();
    expect(await under).toMatchObject([{ verdict: 'unknown', reason: expect.stringContaining('the check was ended') }]);
    await expect.poll(() => checkProcesses(a)).toEqual([]);
  });
});

test('a signal ends a check with its reason', async () => {
  await makeSector(a, 1);
  const reason = new Error('deadline closed');
  await expect(ask(checker([a]), [1], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('a partition of 32 GiB sectors', async () => {
  const sectorSize = 2 ** 35;
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  for (const number of numbers) {
    const { sealed, cache } = filesOf(number, { sectorSize });
    await mkdir(join(a.path, 'sealed'), { recursive: true });
    await mkdir(join(a.path, cache.path), { recursive: true });
    for (const { path, bytes } of [
      sealed,
      ...cache.files.map(({ name, bytes = 1 }) => ({ path: `${cache.path}/${name}`, bytes })),
    ]) {
      await writeFile(join(a.path, path), '');
      await truncate(join(a.path, path), bytes);
    }
  }
  await rm(join(a.path, 'cache/s-t01000-7/sc-02-data-tree-r-last-6.dat'));
  const results = await checker([a]).check({
    minerId: MINER,
    sectorSize,
    sectors: numbers.map((number) => ({ number, upgraded: false })),
  });
  expect(results.filter(({ verdict }) => verdict === 'good')).toHaveLength(39);
  expect(results[7]).toMatchObject({
    verdict: 'bad',
    reason: 'a: cache/s-t01000-7/sc-02-data-tree-r-last-6.dat does not exist',
  });
});
