import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { scanStore } from '../../src/stores/scan/scan-store.ts';
import { canSlow, SlowMount } from '../stores/slow-mount.ts';
import { makeSector, TestStores } from '../stores/test-stores.ts';
import { silentLogger } from '../support/silent-logger.ts';

const SECTORS = 12;

let stores: TestStores;
let store: PersistStore;
let mount: SlowMount;

beforeEach(async () => {
  if (!canSlow) return;
  stores = await TestStores.make();
  store = await stores.store('slow');
  const source = await stores.store('source');
  for (let number = 0; number < SECTORS; number++) await makeSector(source, number);
  mount = new SlowMount((await stores.store('own')).path, source.path, store.path);
  await mount.mount();
});
afterEach(async () => {
  mount?.end();
  await stores?.remove();
});

async function scan(silenceMs: number): Promise<number> {
  let count = 0;
  const components = { clock: systemClock, logger: silentLogger };
  for await (const { sectors } of scanStore(components, { path: store.path, silenceMs })) count += sectors.length;
  return count;
}

describe.runIf(canSlow)('a scan of a store whose server', () => {
  test('takes its time for each call comes to its end', { timeout: 60_000 }, async () => {
    mount.calls(10);
    expect(await scan(2_500)).toBe(SECTORS);
  });

  test('never answers leaves a few processes behind, and no more', { timeout: 60_000 }, async () => {
    mount.calls(-1);
    for (let scans = 0; scans < 4; scans++) {
      await expect(scan(1_000)).rejects.toThrow('gave no answer within 1000 ms');
    }
    await expect(scan(1_000)).rejects.toThrow('4 processes that scan it have not ended');
  });
});
