import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { refuseSameFolder, sameFolders } from '../../src/stores/same-folder.ts';
import { folderIds } from '../../src/stores/scan/folder-ids.ts';
import { canMount, Mount } from '../stores/bindfs.ts';
import { TestStores } from '../stores/test-stores.ts';

let stores: TestStores;
let a: PersistStore;
let link: PersistStore;

beforeEach(async () => {
  stores = await TestStores.make();
  a = await stores.store('a');
  link = { ...a, name: 'link', path: join(stores.root, 'link') };
  await symlink(a.path, link.path);
});
afterEach(() => stores.remove());

const namesOf = async (of: readonly PersistStore[]) =>
  (await sameFolders(systemClock, of)).map((pair) => pair.map(({ name }) => name));

test('stores that lead to one folder are found, whatever their paths are', async () => {
  const b = await stores.store('b');
  const absent = { ...a, name: 'absent', path: join(stores.root, 'absent') };
  expect(await namesOf([a, b, absent, { ...absent, name: 'too' }])).toEqual([]);
  expect(await namesOf([b, a, absent, link, { ...a, name: 'again' }])).toEqual([
    ['link', 'a'],
    ['again', 'a'],
  ]);
});

test('a store is refused where it is another one, and never itself', async () => {
  const b = await stores.store('b');
  await refuseSameFolder(systemClock, a, [a, b, { ...link, name: 'a' }]);
  await expect(refuseSameFolder(systemClock, link, [b, a])).rejects.toMatchObject({ code: 'store-same-folder' });
  await rm(link.path);
  await refuseSameFolder(systemClock, link, [b, a]);
  await mkdir(link.path);
  await refuseSameFolder(systemClock, link, [b, a]);
});

test.runIf(canMount)('a store that hangs is left out, and costs the others nothing', async () => {
  const mount = new Mount((await stores.store('source')).path, (await stores.store('hung')).path);
  try {
    await mount.mount();
    mount.hang();
    const ids = await folderIds(systemClock, [a.path, join(stores.root, 'hung'), link.path], 1_000);
    expect([...ids.keys()].toSorted()).toEqual([a.path, link.path]);
    expect(ids.get(a.path)).toBe(ids.get(link.path));
  } finally {
    mount.end();
  }
});
