import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { canSlow, SlowMount } from './slow-mount.ts';
import { buildCheckProcess, MINER, makeSector, SIZE, TestStores } from './test-stores.ts';

const TIMEOUT_MS = 1_000;
const SECTORS = 24;
const HANGS = 7;

const all = Array.from({ length: SECTORS }, (_, number) => number);
const silent = [{ number: HANGS, verdict: 'unknown', reason: expect.stringContaining('its files gave no answer') }];

let stores: TestStores;
let mount: SlowMount;
let checker: StoreChecker;

beforeAll(buildCheckProcess);
beforeEach(async () => {
  stores = await TestStores.make();
  const source = await stores.store('source');
  for (const number of all) await makeSector(source, number);
  const store = await stores.store('store');
  mount = new SlowMount((await stores.store('own')).path, source.path, store.path);
  checker = new StoreChecker(
    { clock: systemClock, logger: silentLogger },
    { stores: [store], sectorTimeoutMs: TIMEOUT_MS },
  );
});
afterEach(async () => {
  checker.close();
  mount.end();
  await stores.remove();
});

async function notGood(numbers: readonly number[]) {
  const sectors = numbers.map((number) => ({ number, upgraded: false }));
  const checks = await checker.check({ minerId: MINER, sectorSize: SIZE, sectors });
  return checks.filter(({ verdict }) => verdict !== 'good');
}

describe.runIf(canSlow)('one file that gives no answer, in a store that does', () => {
  test('costs its own sector, again and again, and is good once it answers', { timeout: 60_000 }, async () => {
    await mount.mount();
    expect(await notGood(all)).toEqual([]);
    mount.hangOnly(`s-t01000-${HANGS}`);
    checker.keepWatch();
    for (let again = 0; again < 6; again++) {
      expect(await notGood(all)).toEqual(silent);
      const [state] = checker.states;
      expect(state?.trouble).toBeUndefined();
      // One that looked at it without threads, when nobody knew.
      expect(state?.abandoned).toBeLessThanOrEqual(1);
    }
    mount.calls(0);
    await expect.poll(() => notGood(all), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => checker.states, { timeout: 10_000 }).toMatchObject([{ abandoned: 0 }]);
  });

  test('is given up though the store is asked for others all the time', { timeout: 60_000 }, async () => {
    await mount.mount();
    expect(await notGood(all)).toEqual([]);
    mount.hangOnly(`s-t01000-${HANGS}`);
    let isOver = false;
    const asked = notGood(all).finally(() => {
      isOver = true;
    });
    const others = all.filter((number) => number !== HANGS);
    while (!isOver) expect(await notGood(others)).toEqual([]);
    expect(await asked).toEqual(silent);
  });
});
