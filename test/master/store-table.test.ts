import { expect, test } from 'vitest';
import { StoreTable } from '../../src/programs/master/store-table.ts';
import { localTask } from '../../src/programs/slave/attached-stores.ts';
import { canRead } from '../../src/queue/store-roots.ts';

function manager(name = 'sector-manager@host') {
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  return { hello: { version: 1, role: 'submitter' as const, name }, connection: { closed }, close };
}

test('two managers of one host have their stores beside each other', () => {
  const table = new StoreTable();
  const [one, two] = [manager(), manager()];
  table.tell(one, [{ name: 'a', path: '/mnt/a' }]);
  table.tell(two, [{ name: 'b', path: '/mnt/b' }]);
  expect(table.places(['a', 'b'])).toEqual([
    { name: 'a', path: '/mnt/a' },
    { name: 'b', path: '/mnt/b' },
  ]);
});

test('what a manager said lasts until it says something else, over connections', async () => {
  const table = new StoreTable();
  const [before, after] = [manager(), manager()];
  table.tell(before, [{ name: 'a', path: '/old' }]);
  before.close();
  await before.connection.closed;
  expect(table.places(['a'])).toEqual([{ name: 'a', path: '/old' }]);
  table.tell(after, [{ name: 'a', path: '/new' }]);
  table.tell(after, [{ name: 'a', path: '/newer' }]);
  expect(table.places(['a'])).toEqual([{ name: 'a', path: '/newer' }]);
});

test('a store in the folder of another one does not move with it', () => {
  const table = new StoreTable();
  table.tell(manager(), [
    { name: 'outer', path: '/mnt' },
    { name: 'inner', path: '/mnt/nfs1' },
  ]);
  const replica = (root: string) => ({
    sector_id: 1,
    comm_r: '',
    cache_dir: `${root}/cache/s-t01000-1`,
    sealed_file: `${root}/sealed/s-t01000-1`,
  });
  const attached = [{ name: 'outer', location: '/local' }];
  const local = localTask(
    { replicas: [replica('/mnt'), replica('/mnt/nfs1')] },
    { places: table.places(['outer']), attached },
  );
  expect(local).toEqual({ replicas: [replica('/local'), replica('/mnt/nfs1')] });
  const reads = (attached: readonly string[], ...directories: string[]) =>
    canRead(directories, table.readable({ stores: ['/data'], attached }));
  expect([reads(['outer'], '/mnt', '/data/x'), reads(['outer'], '/mnt/nfs1'), reads(['outer'], '/mnt/a')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([
    reads(['inner'], '/mnt/nfs1'),
    reads(['inner'], '/mnt'),
    reads(['inner', 'outer'], '/mnt', '/mnt/nfs1'),
  ]).toEqual([true, false, true]);
});

test('different stores of two managers at one place belong to no slave', () => {
  const table = new StoreTable();
  table.tell(manager('one'), [
    { name: 'outer', path: '/mnt' },
    { name: 'x', path: '/mnt/nfs1' },
  ]);
  table.tell(manager('two'), [{ name: 'y', path: '/mnt/nfs1' }]);
  const reads = (attached: readonly string[]) => canRead(['/mnt/nfs1'], table.readable({ stores: [], attached }));
  expect([reads(['x']), reads(['y']), reads(['x', 'y'])]).toEqual([false, false, false]);
  const replica = {
    sector_id: 1,
    comm_r: '',
    cache_dir: '/mnt/nfs1/cache/s-t01000-1',
    sealed_file: '/mnt/nfs1/sealed/s-t01000-1',
  };
  const attached = ['outer', 'x', 'y'].map((name) => ({ name, location: `/local/${name}` }));
  const places = table.places(['outer', 'x', 'y']);
  expect(localTask({ replicas: [replica] }, { places, attached })).toEqual({ replicas: [replica] });
});
