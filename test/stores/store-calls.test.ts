import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { lookAtSector } from '../../src/stores/sector-look.ts';
import { StoreCalls } from '../../src/stores/store-calls.ts';
import { filesOf, makeCache, makeSealed, TestStores } from './test-stores.ts';

let stores: TestStores;
beforeEach(async () => {
  stores = await TestStores.make();
});
afterEach(() => stores.remove());

/** A store of one sector whose calls take as long as is said. */
async function storeOf(isCareful = false) {
  const store = await stores.store('a');
  await makeSealed(store, 7);
  await makeCache(store, 7);
  const { sealed, cache } = filesOf(7);
  const setting = { nowMs: 1_000, callMs: 0 };
  let made = 0;
  const clock = { ...systemClock, monotonic: () => setting.nowMs };
  const onCall = () => {
    made++;
    setting.nowMs += setting.callMs;
  };
  const calls = new StoreCalls({ clock }, { isCareful });
  /** How many of the calls were made before anything was waited for. */
  const look = async (): Promise<number> => {
    made = 0;
    const looking = calls.carryOut(lookAtSector({ root: store.path, linkOutIs: 'unknown' }, { sealed, cache }), onCall);
    const here = made;
    expect(await looking).toMatchObject({ sealed: { is: 'good' }, cache: { is: 'good' } });
    expect(made).toBe(ALL);
    return here;
  };
  return { setting, look };
}
const ALL = 2 + filesOf(7).cache.files.length;

test('calls that are answered at once are made at once', async () => {
  const { look } = await storeOf();
  expect(await look()).toBe(ALL);
  expect(await look()).toBe(ALL);
});

test('a slow store is asked by threads from its first slow call on, and tried again after a while', async () => {
  const { setting, look } = await storeOf();
  setting.callMs = 5;
  expect(await look()).toBe(1);
  expect(await look()).toBe(0);
  setting.nowMs += 1_000;
  expect(await look()).toBe(1);
  expect(await look()).toBe(0);
  setting.callMs = 0;
  expect(await look()).toBe(0);
  setting.nowMs += 1_000;
  expect(await look()).toBe(ALL);
});

test('a call now and then that takes long, as on any busy machine, changes nothing; several do', async () => {
  const { setting, look } = await storeOf();
  for (let quick = 0; quick < 8; quick++) await look();
  for (const slow of [1, 2, 3]) {
    setting.callMs = 5;
    expect(await look(), `slow call ${slow}`).toBe(1);
    setting.callMs = 0;
  }
  expect(await look()).toBe(0);
});

test('a store that was silent once is asked by threads only', async () => {
  const { look } = await storeOf(true);
  expect(await look()).toBe(0);
});
