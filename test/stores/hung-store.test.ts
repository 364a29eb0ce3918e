import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { buildCheckProcess, MINER, makeSector, SIZE, TestStores } from './test-stores.ts';

// A file system that really hangs: bindfs, stopped. Needs root and /dev/fuse, so it runs where these are.
const canMount =
  process.getuid?.() === 0 &&
  spawnSync('bindfs', ['--version']).status === 0 &&
  spawnSync('test', ['-c', '/dev/fuse']).status === 0;

let stores: TestStores;
let bindfs: ChildProcess | undefined;

beforeAll(async () => {
  await buildCheckProcess();
  stores = await TestStores.make();
});
afterAll(async () => {
  bindfs?.kill('SIGKILL');
  spawnSync('umount', ['-l', `${stores.root}/hung`]);
  await stores.remove();
});

test.runIf(canMount)('a hung mount is unknown in time, twice, and good when it goes on', async () => {
  const good = await stores.store('good');
  const source = await stores.store('source');
  const hung = await stores.store('hung');
  for (const number of [1, 2, 3]) await makeSector(good, number);
  for (const number of [4, 5, 6]) await makeSector(source, number);
  const before = (await stat(hung.path)).dev;
  // Without these the kernel answers for a second from its own memory.
  bindfs = spawn('bindfs', ['-f', '-o', 'attr_timeout=0,entry_timeout=0,negative_timeout=0', source.path, hung.path], {
    stdio: 'ignore',
  });
  await expect.poll(async () => (await stat(hung.path)).dev, { timeout: 10_000 }).not.toBe(before);

  const checker = new StoreChecker(
    { clock: systemClock, logger: silentLogger },
    { stores: [good, hung], sectorTimeoutMs: 500 },
  );
  const sectors = [1, 2, 3, 4, 5, 6].map((number) => ({ number, upgraded: false }));
  const verdicts = async () =>
    (await checker.check({ minerId: MINER, sectorSize: SIZE, sectors })).map(({ verdict }) => verdict);
  try {
    expect(await verdicts()).toEqual(Array(6).fill('good'));
    bindfs.kill('SIGSTOP');
    for (let again = 0; again < 2; again++) {
      expect(await verdicts()).toEqual(['good', 'good', 'good', 'unknown', 'unknown', 'unknown']);
    }
    bindfs.kill('SIGCONT');
    expect(await verdicts()).toEqual(Array(6).fill('good'));
    // Unmounted, the folder is there and empty.
    execFileSync('umount', ['-l', hung.path]);
    expect(await verdicts()).toEqual(['good', 'good', 'good', 'unknown', 'unknown', 'unknown']);
  } finally {
    checker.close();
  }
});
