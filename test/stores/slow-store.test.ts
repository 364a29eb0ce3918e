import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { canSlow, SlowMount } from './slow-mount.ts';
import { buildCheckProcess, MINER, makeSector, SIZE, TestStores } from './test-stores.ts';

const TIMEOUT_MS = 1_000;
/** A sector takes twice as long as a store may be silent. */
const SECTOR = { sectorSize: 32 * 1024 ** 3 } as const;

let stores: TestStores;
let store: PersistStore;
let mount: SlowMount;
let checker: StoreChecker;
const endings: (() => void)[] = [];

beforeAll(buildCheckProcess);
beforeEach(async () => {
  stores = await TestStores.make();
  store = await stores.store('slow');
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) end();
  await stores.remove();
});

async function begin(source: PersistStore, timeoutMs: number): Promise<void> {
  mount = mountOf(await stores.store('old'), source);
  checker = new StoreChecker(
    { clock: systemClock, logger: silentLogger },
    { stores: [store], sectorTimeoutMs: timeoutMs },
  );
  endings.push(() => checker.close());
}

function mountOf(own: PersistStore, source: PersistStore): SlowMount {
  const made = new SlowMount(own.path, source.path, store.path);
  endings.push(() => made.end());
  return made;
}

const isTrusted = () =>
  checker.states.every(({ trouble, answerMs }) => trouble === undefined && answerMs !== undefined);
const becomes = (trusted: boolean) => expect.poll(isTrusted, { timeout: 25_000, interval: 50 }).toBe(trusted);

describe.runIf(canSlow)('a store whose server', () => {
  test('takes its time for each call is slow, and does not hang', { timeout: 60_000 }, async () => {
    const source = await stores.store('source');
    await makeSector(source, 1, SECTOR);
    await begin(source, TIMEOUT_MS);
    await mount.mount();
    checker.keepWatch();
    await becomes(true);
    mount.calls(30);
    const sectors = [{ number: 1, upgraded: false }];
    const checks = await checker.check({ minerId: MINER, ...SECTOR, sectors });
    expect(checks.map(({ verdict }) => verdict)).toEqual(['good']);
  });

  test('never answers those that asked it comes back by a fresh mount, though they cannot be killed', {
    timeout: 60_000,
  }, async () => {
    const source = await stores.store('source');
    await makeSector(source, 1);
    await begin(source, 1_000);
    const sectors = [{ number: 1, upgraded: false }];
    const check = () => checker.check({ minerId: MINER, sectorSize: SIZE, sectors });
    await mount.mount();
    checker.keepWatch();
    expect(await check()).toMatchObject([{ verdict: 'good' }]);
    mount.calls(-1);
    await expect.poll(() => checker.states[0]?.abandoned, { timeout: 25_000 }).toBeGreaterThanOrEqual(4);
    mount.unmount();
    const fresh = mountOf(await stores.store('fresh'), source);
    await fresh.mount();
    await becomes(true);
    expect(await check()).toMatchObject([{ verdict: 'good' }]);
  });
});
