import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { StoreChecker, type StoreState } from '../../src/stores/store-checker.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { canMount, Mount } from './bindfs.ts';
import { buildCheckProcess, checkProcesses, MINER, makeSector, SIZE, TestStores } from './test-stores.ts';

const TIMEOUT_MS = 500;

let stores: TestStores;
const endings: (() => void)[] = [];

beforeAll(buildCheckProcess);
beforeEach(async () => {
  stores = await TestStores.make();
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) end();
  await stores.remove();
});

/** What happens to stores, to be waited for. */
class Weather {
  readonly #states = new Map<string, StoreState>();

  readonly onLook = (state: StoreState): void => {
    this.#states.set(state.store.name, state);
  };

  async becomes(store: PersistStore, isTrusted: boolean): Promise<void> {
    const trouble = () => this.#states.get(store.name)?.trouble;
    await expect.poll(trouble, { timeout: 15_000, interval: 10 }).toEqual(isTrusted ? undefined : expect.any(String));
  }
}

function checkerOf(of: readonly PersistStore[], weather = new Weather()): StoreChecker {
  const checker = new StoreChecker(
    { clock: systemClock, logger: silentLogger },
    { stores: of, sectorTimeoutMs: TIMEOUT_MS, onLook: weather.onLook },
  );
  endings.push(() => checker.close());
  return checker;
}

async function verdicts(checker: StoreChecker, numbers: readonly number[]) {
  const sectors = numbers.map((number) => ({ number, upgraded: false }));
  const checks = await checker.check({ minerId: MINER, sectorSize: SIZE, sectors });
  return new Set(checks.map(({ verdict }) => verdict));
}

/** Stores, each a mount on an empty folder. */
async function mounted(names: readonly string[]) {
  const sources = new TestStores(`${stores.root}/sources`);
  const all = await Promise.all(names.map((name) => stores.store(name)));
  const mounts: Mount[] = [];
  for (const [index, store] of all.entries()) {
    const source = await sources.store(store.name);
    for (const number of [1, 2, 3]) await makeSector(source, 10 * index + number);
    const mount = new Mount(source.path, store.path);
    endings.push(() => mount.end());
    await mount.mount();
    mounts.push(mount);
  }
  const mount = {
    hang: () => mounts.forEach((one) => void one.hang()),
    goOn: () => mounts.forEach((one) => void one.goOn()),
    unmount: () => mounts.forEach((one) => void one.unmount()),
    mount: async () => void (await Promise.all(mounts.map((one) => one.mount()))),
  };
  return { mount, stores: all };
}

describe.runIf(canMount)('a store that hangs', () => {
  test('is known without being asked, costs the others nothing, and comes back by itself', async () => {
    const others = await Promise.all(Array.from({ length: 19 }, (_, index) => stores.store(`s${index}`)));
    for (const [index, store] of others.entries()) await makeSector(store, 100 + index);
    const { mount, stores: hanging } = await mounted(['hung']);
    const [hung] = hanging;
    if (hung === undefined) throw new Error('no store');
    const weather = new Weather();
    const checker = checkerOf([...others, hung], weather);
    const good = others.map((_, index) => 100 + index);
    expect(await verdicts(checker, [...good, 1, 2, 3])).toEqual(new Set(['good']));
    checker.keepWatch();
    for (const store of [...others, hung]) await weather.becomes(store, true);

    const delays = monitorEventLoopDelay({ resolution: 10 });
    delays.enable();
    mount.hang();
    const began = performance.now();
    await weather.becomes(hung, false);
    // By default everything takes ten times as long, and 15 s are allowed.
    expect(performance.now() - began).toBeLessThan(3 * TIMEOUT_MS + 2_000);
    for (let again = 0; again < 3; again++) {
      expect(await verdicts(checker, [1, 2, 3])).toEqual(new Set(['unknown']));
      expect(await verdicts(checker, good)).toEqual(new Set(['good']));
    }
    expect(checker.states.filter(({ trouble }) => trouble !== undefined)).toMatchObject([{ store: hung }]);
    delays.disable();
    expect(delays.percentile(95) / 1e6).toBeLessThan(100);

    mount.goOn();
    await weather.becomes(hung, true);
    expect(await verdicts(checker, [...good, 1, 2, 3])).toEqual(new Set(['good']));
  });

  test('in the middle of a check is unknown in time, and only its own sectors are', async () => {
    const { mount, stores: all } = await mounted(['a', 'b']);
    const local = await stores.store('local');
    await makeSector(local, 99);
    const checker = checkerOf([...all, local]);
    expect(await verdicts(checker, [1, 11, 99])).toEqual(new Set(['good']));
    mount.hang();
    expect(await verdicts(checker, [1, 2, 3, 11])).toEqual(new Set(['unknown']));
    expect(await verdicts(checker, [99])).toEqual(new Set(['good']));
    mount.goOn();
    await expect.poll(() => verdicts(checker, [1, 11]), { timeout: 10_000 }).toEqual(new Set(['good']));
    for (const store of all) expect((await checkProcesses(store)).length).toBeLessThanOrEqual(1);
  });
});

describe.runIf(canMount)('all stores', () => {
  test('hang, are unmounted, and come back: never is a sector bad', async () => {
    const { mount, stores: all } = await mounted(['a', 'b', 'c']);
    const weather = new Weather();
    const checker = checkerOf(all, weather);
    checker.keepWatch();
    const numbers = [1, 2, 3, 11, 12, 13, 21, 22, 23];
    const during = async (outage: () => void, end: () => Promise<void> | void) => {
      outage();
      const seen = new Set<string>();
      while (checker.states.some(({ trouble }) => trouble === undefined)) {
        for (const verdict of await verdicts(checker, numbers)) seen.add(verdict);
      }
      for (const verdict of await verdicts(checker, [...numbers, 7_777])) seen.add(verdict);
      expect(seen).not.toContain('bad');
      expect(seen).toContain('unknown');
      await end();
      for (const store of all) await weather.becomes(store, true);
      expect(await verdicts(checker, numbers)).toEqual(new Set(['good']));
    };
    expect(await verdicts(checker, numbers)).toEqual(new Set(['good']));
    await during(
      () => mount.hang(),
      () => mount.goOn(),
    );
    await during(
      () => mount.unmount(),
      () => mount.mount(),
    );
  });
});
