import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localTask } from '../../src/programs/slave/attached-stores.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';

const attached = [
  { name: 'one', location: '/local/one/' },
  { name: 'inner', location: '/local/inner' },
  { name: 'same', location: '/mnt/one/same' },
];
const places = [
  { name: 'one', path: '/mnt/one' },
  { name: 'inner', path: '/mnt/one/inner/' },
  { name: 'same', path: '/mnt/one/same' },
  { name: 'not attached', path: '/mnt/two' },
];

function taskIn(...roots: string[]): WindowPostTask {
  const replicas = roots.map((root, index) => ({
    sector_id: index,
    comm_r: [],
    cache_dir: `${root}/cache/s-t01000-${index}`,
    sealed_file: `${root}/sealed/s-t01000-${index}`,
  }));
  return { miner_id: 1000, proof_type: 'StackedDrgWindow2KiBV1_2', replicas, seed: [] };
}

test('paths of attached stores become those of this host, the innermost store counts, and no other path changes', () => {
  const task = taskIn('/mnt/one', '/mnt/one/inner', '/mnt/one/same', '/mnt/two', '/mnt/one-more');
  const here = taskIn('/local/one', '/local/inner', '/mnt/one/same', '/mnt/two', '/mnt/one-more');
  expect(localTask(task, { places, attached })).toEqual(here);
  expect(localTask(Buffer.from(JSON.stringify(task)), { places, attached })).toEqual(here);
});

test('a task stays the very bytes it is where no store lies elsewhere', () => {
  const body = Buffer.from('not even JSON');
  expect(localTask(body, { places, attached: [] })).toBe(body);
  expect(localTask(body, { places: [], attached })).toBe(body);
  expect(localTask(body, { places, attached: [{ name: 'one', location: '/mnt/one' }] })).toBe(body);
});

test('whatever the paths, only whole folders of a store are replaced', () => {
  const path = fc.array(fc.constantFrom('mnt', 'one', 'inner', 'x'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, path, (store, root) => {
      const [from, where] = [`/${store.join('/')}`, `/${root.join('/')}`];
      const moved = localTask(taskIn(where), {
        places: [{ name: 'one', path: from }],
        attached: [{ name: 'one', location: '/elsewhere' }],
      });
      const isBelow = `${where}/`.startsWith(`${from}/`);
      expect(moved).toEqual(taskIn(isBelow ? `/elsewhere${where.slice(from.length)}` : where));
    }),
  );
});

test('a path that goes up stays as it is: where it leads is not told by its beginning', () => {
  const task = taskIn('/mnt/one/../../root');
  expect(localTask(task, { places, attached })).toEqual(task);
});
