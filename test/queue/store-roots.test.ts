import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canRead, storeRoot, storeRoots } from '../../src/queue/store-roots.ts';

const replica = (cache_dir: string, sealed_file: string) => ({ sector_id: 1, comm_r: [], cache_dir, sealed_file });

test('the directories of a task are those above sealed, cache and their upgraded kin', () => {
  const replicas = [
    replica('/mnt/b/cache/s-t01000-1', '/mnt/a/sealed/s-t01000-1'),
    replica('/mnt/b/update-cache/s-t01000-2', '/mnt/b/update/s-t01000-2'),
  ];
  expect(storeRoots(replicas)).toEqual(['/mnt/a', '/mnt/b']);
  expect(storeRoots([replica('/sealed/x/cache/s-t0127-5/', '/sealed/x//sealed/s-t0127-5')])).toEqual(['/sealed/x']);
});

test.each([
  ['/mnt/a/cache/sector-5', '/mnt/a/sealed/s-t01000-5'],
  ['relative/cache/s-t01000-5', '/mnt/a/sealed/s-t01000-5'],
  ['/mnt/a/s-t01000-5', '/mnt/a/s-t01000-5'],
])('of files that lie in another way (%s) nothing is known', (cache, sealed) => {
  expect(storeRoots([replica(cache, sealed)])).toBeNull();
});

test('a list that no column holds is not kept', () => {
  const replicas = Array.from({ length: 2_000 }, (_, index) => {
    const store = `/mnt/${'deep/'.repeat(6)}${index}`;
    return replica(`${store}/cache/s-t01000-${index}`, `${store}/sealed/s-t01000-${index}`);
  });
  expect(storeRoots(replicas)).toBeNull();
  expect(storeRoots(replicas.slice(0, 500))).toHaveLength(500);
});

test('what is not known may be readable', () => {
  expect(canRead(null, ['/mnt/a'])).toBe(true);
  expect(canRead(['/mnt/a'], null)).toBe(true);
  expect(canRead(['/mnt/a'], [])).toBe(false);
});

test('whatever the path, its root is what the layout says', () => {
  const layout = /^(\/.*?)\/+(?:sealed|cache|update|update-cache)\/+s-t0\d+-\d+\/*$/;
  const part = fc.constantFrom(
    '/',
    '//',
    'sealed',
    'cache',
    'update',
    'update-cache',
    's-t01000-5',
    's-t0',
    '-',
    '6',
    'x',
    '\n',
  );
  const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(path, (text) => {
      expect(storeRoot(text)).toBe(layout.exec(text)?.[1]);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ['slashes', '/'.repeat(1_000_000)],
  ['folders', '/sealed'.repeat(150_000)],
  ['sectors', '/sealed/s-t01-1'.repeat(60_000)],
])('a path of a million characters takes no time: %s', (_, path) => {
  const since = performance.now();
  storeRoot(path);
  expect(performance.now() - since).toBeLessThan(500);
});

test('a directory that goes up is not below another one', () => {
  expect(canRead(['/mnt/a/../../root'], ['/mnt/a', '/'])).toBe(false);
  expect(canRead(['/mnt/a/..b'], ['/mnt/a'])).toBe(true);
});
