import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { scanStore } from '../../src/stores/scan/scan-store.ts';
import type { ScannedSector } from '../../src/stores/scan/scanned-sector.ts';
import { canSlow, SlowMount } from '../stores/slow-mount.ts';
import { MINER, makeSector, TestStores } from '../stores/test-stores.ts';
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

async function scanned(silenceMs: number): Promise<ScannedSector[]> {
  const found: ScannedSector[] = [];
  const components = { clock: systemClock, logger: silentLogger };
  for await (const { sectors } of scanStore(components, { path: store.path, silenceMs })) found.push(...sectors);
  return found;
}
const scan = async (silenceMs: number) => (await scanned(silenceMs)).length;

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

  test('never answers for one file finds that one unreadable, and all the rest', { timeout: 60_000 }, async () => {
    // A name that the kernel does not know yet would hold up all of its folder.
    await scan(3_000);
    mount.hangOnly('s-t01000-5');
    const found = await scanned(3_000);
    expect(found.map(({ number }) => number).sort((left, right) => left - right)).toEqual([...Array(SECTORS).keys()]);
    const doubtful = found.filter(({ sealed, cache }) => sealed.is !== 'good' || cache.is !== 'good');
    const unknown = { is: 'unknown', reason: 'its files gave no answer within 1000 ms' };
    expect(doubtful).toEqual([{ minerId: MINER, number: 5, upgraded: false, sealed: unknown, cache: unknown }]);
  });
});
