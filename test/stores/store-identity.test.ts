import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Probe } from '../../src/stores/check-messages.ts';
import { expectationOf } from '../../src/stores/expectation.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { spread } from '../../src/stores/spread.ts';
import { StoreIdentity } from '../../src/stores/store-identity.ts';
import { MINER } from './test-stores.ts';

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function probe(init: Partial<Probe> = {}): Probe {
  return { root: '1:2', filled: ['sealed', 'cache'], canaries: { found: 0, gone: 0, doubtful: 0 }, ...init };
}

const canaries = (found: number, gone: number, doubtful = 0) => probe({ canaries: { found, gone, doubtful } });

test('a store is itself, until it is not', () => {
  const identity = new StoreIdentity();
  expect(identity.trouble(probe(), probe())).toBeUndefined();
  expect(identity.trouble(probe(), probe({ root: '1:3' }))).toMatch('another file system');
  expect(identity.trouble(probe(), probe({ filled: ['cache'] }))).toMatch('sealed/ is gone or empty');
  expect(identity.trouble(probe({ trouble: 'EIO' }), probe())).toBe('EIO');
  expect(identity.trouble(probe(), canaries(0, 1))).toMatch('none of the sectors seen there before is there');
  expect(identity.trouble(probe(), canaries(0, 0, 1))).toMatch('can be looked at');
  expect(identity.trouble(canaries(6, 3), probe())).toMatch('of 9 files of sectors seen there before 3 are gone');
  expect(identity.trouble(probe(), probe())).toBeUndefined();
});

test('a remounted store of which no sector is known is itself again when somebody says so', () => {
  const identity = new StoreIdentity();
  identity.trouble(probe(), probe());
  const remounted = probe({ root: '9:2' });
  for (let look = 0; look < 2; look++) expect(identity.trouble(remounted, remounted)).toMatch('another file system');
  identity.forgetFileSystem();
  expect(identity.trouble(remounted, remounted)).toBeUndefined();
  expect(identity.trouble(probe(), probe())).toMatch('another file system');
});

test('a remounted store is known by its sectors', () => {
  const identity = new StoreIdentity();
  identity.trouble(probe(), probe());
  const remounted = { ...canaries(4, 0), root: '9:2' };
  expect(identity.trouble(probe(), remounted)).toBe('the store was replaced during the check');
  expect(identity.trouble(remounted, remounted)).toBeUndefined();
  expect(identity.trouble(probe({ root: '9:2' }), probe({ root: '9:2' }))).toBeUndefined();
});

test('what is gone counts against a store, what cannot be looked at does not, and one alone is nothing', () => {
  fc.assert(
    fc.property(fc.nat(16), fc.nat(16), fc.nat(4), (found, gone, doubtful) => {
      const after = canaries(found, gone, doubtful);
      const isItself = new StoreIdentity().trouble(after, after) === undefined;
      expect(isItself).toBe(found === 0 ? gone + doubtful === 0 : gone <= 1 || gone <= (found + gone) / 4);
    }),
  );
});

function numberOf(path: string): number {
  return Number(/s-t01000-(\d+)/.exec(path)?.[1]);
}

/** A store that should hold these sectors, and what a look at it finds where it holds others. */
class ModelStore {
  readonly identity = new StoreIdentity();

  /** The index knows these, of each the file and the folder. */
  expect(numbers: Iterable<number>): void {
    const set = SectorSet.of(numbers);
    this.identity.expect(expectationOf([{ store: 'a', minerId: MINER, upgraded: false, sealed: set, cache: set }]));
  }

  troubleWith(there: ReadonlySet<number>): string | undefined {
    const asked = this.identity.canaries;
    const found = asked.filter((path) => there.has(numberOf(path))).length;
    const after = canaries(found, asked.length - found);
    return this.identity.trouble(after, after);
  }

  check(numbers: readonly number[]): void {
    this.identity.sawGood(
      numbers.map((number) => ({ sealed: `sealed/s-t01000-${number}`, cache: `cache/s-t01000-${number}/p_aux` })),
    );
  }
}

const someSectors = fc.uniqueArray(fc.nat(20_000), { minLength: 1, maxLength: 300 });

test('a whole store is itself; so is one that lost one sector; leftovers, halves and strangers are not', () => {
  fc.assert(
    fc.property(someSectors, fc.nat(), fc.integer({ min: 2, max: 7 }), (numbers, which, parts) => {
      const store = new ModelStore();
      store.expect(numbers);
      expect(store.troubleWith(new Set(numbers))).toBeUndefined();
      const lost = numbers[which % numbers.length];
      if (numbers.length > 1) expect(store.troubleWith(new Set(numbers.filter((one) => one !== lost)))).toBeUndefined();
      expect(store.troubleWith(new Set(numbers.map((one) => one + 20_001)))).toBeDefined();
      if (numbers.length < 32) return;
      const sorted = numbers.toSorted((left, right) => left - right);
      const third = Math.floor(sorted.length / 3);
      for (const part of [sorted.slice(third), sorted.slice(0, -third), sorted.slice(0, 5)]) {
        expect(store.troubleWith(new Set(part))).toBeDefined();
      }
      // One disk of those that make up the store, sectors being dealt out to them in turn; of more than four it is a minority.
      const dealt = sorted.filter((_, index) => index % parts === which % parts);
      expect(store.troubleWith(new Set(dealt))).toBeDefined();
    }),
  );
});

test('however many an operator removes, it is itself again when the index is told', () => {
  fc.assert(
    fc.property(someSectors, fc.integer({ min: 1, max: 50 }), (numbers, keep) => {
      const store = new ModelStore();
      store.expect(numbers);
      store.check(numbers);
      const left = numbers.slice(0, keep);
      store.expect(left);
      expect(store.troubleWith(new Set(left))).toBeUndefined();
      expect(store.identity.canaries.length).toBeGreaterThan(0);
    }),
  );
});

test('without an index, nothing of what was there before is missed two checks later', () => {
  const store = new ModelStore();
  const checks = [[1, 2, 3, 4], Array.from({ length: 40 }, (_, index) => 100 + index), range(201, 209)];
  for (const numbers of checks) store.check(numbers);
  expect(store.troubleWith(new Set(checks.slice(1).flat()))).toBeUndefined();
  expect(new Set(store.identity.canaries.map((path) => path.split('/')[0]))).toEqual(new Set(['sealed', 'cache']));
});

test('however many checks of one part there were, a half that is away is missed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 10 }), (half, size) => {
      const store = new ModelStore();
      store.expect(range(0, 2 * half));
      for (let from = 0; from < half; from += size) store.check(range(from, Math.min(half, from + size)));
      expect(store.troubleWith(new Set(range(0, half)))).toBeDefined();
    }),
  );
});

test('of a store of several miners all parts are looked at', () => {
  const shares = [1000, 1001, 1002].map((minerId) => {
    const numbers = SectorSet.of(range(0, 300));
    return { store: 'a', minerId, upgraded: false, sealed: numbers, cache: numbers };
  });
  const identity = new StoreIdentity();
  identity.expect(expectationOf(shares));
  const last = identity.canaries.filter((path) => /-2\d\d(?!\d)/.test(path));
  expect(new Set(last.map((path) => /t0\d+/.exec(path)?.[0]))).toEqual(new Set(['t01000', 't01001', 't01002']));
});

test('a sector counts once, so that one lost of a few is a loss', () => {
  const store = new ModelStore();
  store.expect([1, 2, 3]);
  store.check([2, 1, 3]);
  for (const lost of [1, 2, 3]) {
    expect(store.troubleWith(new Set([1, 2, 3].filter((number) => number !== lost)))).toBeUndefined();
  }
});

/** What a check of these found of them. */
const seen = (there: readonly number[], gone: readonly number[] = []) =>
  [...there, ...gone].map((number) => ({ path: `sealed/s-t01000-${number}`, isGone: gone.includes(number) }));

describe('what a check lacks', () => {
  const MUCH = /^of \d+ sectors looked for there lately/;

  test('is lost where it is little, however often it is asked for', () => {
    const identity = new StoreIdentity();
    expect(identity.doubtAfter(seen(range(0, 30), [90]))).toBeUndefined();
    for (let again = 0; again < 10; again++) expect(identity.doubtAfter(seen([], [90]))).toBeUndefined();
  });

  test('is in doubt where it is much, at once or little by little', () => {
    expect(new StoreIdentity().doubtAfter(seen(range(0, 10), range(10, 14)))).toBeUndefined();
    expect(new StoreIdentity().doubtAfter(seen(range(0, 10), range(10, 15)))).toMatch(MUCH);
    const identity = new StoreIdentity();
    for (let from = 0; from < 100; from += 4) identity.doubtAfter(seen(range(from, from + 4)));
    const doubts = [100, 104, 108, 112].map((from) => identity.doubtAfter(seen([], range(from, from + 4))));
    expect(doubts).toEqual([undefined, undefined, expect.stringMatching(MUCH), expect.stringMatching(MUCH)]);
    // They are there again.
    expect(identity.doubtAfter(seen(range(100, 116)))).toBeUndefined();
  });

  test('is not counted any more where the index has it no more', () => {
    const identity = new StoreIdentity();
    expect(identity.doubtAfter(seen([1], range(10, 20)))).toMatch(MUCH);
    identity.expect(
      expectationOf([
        { store: 'a', minerId: MINER, upgraded: false, sealed: SectorSet.of([1, 2]), cache: SectorSet.of([1, 2]) },
      ]),
    );
    expect(identity.doubtAfter(seen([1], [2]))).toBeUndefined();
  });

  test('is in doubt in another file system until nearly all was seen there', () => {
    const identity = new StoreIdentity();
    identity.trouble(canaries(16, 0), canaries(16, 0));
    const remounted = { ...canaries(14, 2), root: '9:2' };
    expect(identity.trouble(remounted, remounted)).toBeUndefined();
    expect(identity.doubtAfter([])).toMatch('another file system');
    expect(identity.doubtAfter(seen([1, 2], [3]))).toMatch('another file system');
    expect(identity.doubtAfter(seen(range(10, 20), [3]))).toMatch('another file system');
    // The last one spoke for it.
    expect(identity.doubtAfter(seen([], [3]))).toBeUndefined();
  });

  test('an older copy in the place of a store is not the store', () => {
    const identity = new StoreIdentity();
    identity.trouble(canaries(16, 0), canaries(16, 0));
    const older = { ...canaries(13, 3), root: '9:2' };
    expect(identity.trouble(older, older)).toBe(
      'another file system than before lies there, and of 16 files of sectors seen there before 3 are gone',
    );
  });
});

test('what the index knows no more is not missed, and what it knows stays', () => {
  const store = new ModelStore();
  store.check([1, 2, 3]);
  store.expect([2, 3, 4]);
  expect(store.identity.canaries.toSorted()).toEqual(
    expect.arrayContaining(['sealed/s-t01000-2', 'cache/s-t01000-3/p_aux']),
  );
  expect(store.identity.canaries).not.toContain('sealed/s-t01000-1');
  store.expect([]);
  expect(store.identity.canaries).toEqual([]);
  expect(store.identity.hasFolder('sealed')).toBe(false);
});

test('a few of many are far apart, and all of a few are taken', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 20 }), (size, count) => {
      const picked = spread(
        Array.from({ length: size }, (_, index) => index),
        size,
        count,
      );
      expect(new Set(picked).size).toBe(picked.length);
      expect(picked.length).toBeLessThanOrEqual(count);
      if (size <= count) expect(picked).toHaveLength(size);
      for (const [turn, one] of picked.entries()) {
        expect(one).toBeGreaterThanOrEqual(Math.floor((turn * size) / count) - 1);
        if (size > 2 * count) expect(one).toBeLessThan(((turn + 1) * size) / count);
      }
    }),
  );
});

test.each([2, 4, 8])('of things dealt out in turn to %d places every place is met', (places) => {
  const picked = spread(Array.from({ length: 256 }).keys(), 256, 16);
  expect(new Set(picked.map((one) => one % places)).size).toBe(places);
});
