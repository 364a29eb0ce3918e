import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { configuredStores } from '../../src/stores/scan/configured-stores.ts';
import { canMount, Mount } from '../stores/bindfs.ts';
import { TestStores } from '../stores/test-stores.ts';

let stores: TestStores;

beforeEach(async () => {
  stores = await TestStores.make();
});
afterEach(() => stores.remove());

async function write(name: string, content: unknown): Promise<string> {
  const path = join(stores.root, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'sectorstore.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function scan(
  globs: readonly string[],
  listed: readonly string[] = [],
  limitMs = 10_000,
  known: readonly PersistStore[] = [],
) {
  const persistStores = await Promise.all(listed.map((name) => stores.store(name)));
  return await configuredStores(
    { clock: systemClock },
    { persistStores, scanPersistStores: globs },
    { limitMs, known },
  );
}

test('finds the stores that globs lead to, beside those that are listed', async () => {
  const one = await write('disks/one', { ID: '123', Name: '', Strict: true, AllowMiners: [1], CanSeal: true });
  const two = await write('disks/two', { ID: '124', Name: 'second', readOnly: true, Weight: 3, DenyMiners: null });
  await mkdir(join(stores.root, 'disks/three'));
  await writeFile(join(stores.root, 'disks/a-file'), '');
  const { stores: found, warnings } = await scan([`${stores.root}/di*/*`, `${stores.root}/none/*`], ['listed']);
  expect(found).toMatchObject([
    { name: 'listed' },
    { name: '123', path: one, strict: true, readOnly: false, weight: 1, allowMiners: [1], denyMiners: [] },
    { name: 'second', path: two, readOnly: true, weight: 3, growing: false },
  ]);
  expect(warnings).toEqual([]);
});

test('leaves out what cannot be used, and says so', async () => {
  await write('broken', '{');
  await write('odd', { Name: 5 });
  await write('plugged', { Name: 'p', PluginName: 'x' });
  await write('vast', '\0'.repeat(20_000_000));
  const { stores: found, warnings } = await scan([`${stores.root}/*`]);
  expect(found).toEqual([]);
  expect(warnings).toEqual([
    expect.stringMatching(/broken is left out: sectorstore.json is not JSON/),
    expect.stringMatching(/odd is left out: sectorstore.json: name/),
    expect.stringMatching(/plugged is left out: it needs a plug-in/),
    expect.stringMatching(/vast is left out: sectorstore.json has 20000000 bytes, and at most 65536 are read/),
  ]);
});

test('one that was there stays while it is not mounted, or cannot be read, and goes with its glob', async () => {
  await write('disks/one', { ID: '1', DenyMiners: [5] });
  const { stores: known } = await scan([`${stores.root}/disks/*`]);
  await rm(join(stores.root, 'disks/one/sectorstore.json'));
  const globs = [`${stores.root}/di*/*`];
  expect((await scan(globs, [], 10_000, known)).stores).toEqual(known);
  expect((await scan([`${stores.root}/other/*`], [], 10_000, known)).stores).toEqual([]);
  await rm(join(stores.root, 'disks'), { recursive: true });
  expect((await scan(globs, [], 10_000, known)).stores).toEqual(known);
  await write('disks/one', '{');
  const broken = await scan(globs, [], 10_000, known);
  expect(broken).toMatchObject({
    stores: known,
    warnings: [expect.stringContaining('stays as it was: sectorstore.json')],
  });
});

test('refuses two stores of one name', async () => {
  await write('one', { Name: 'a' });
  await write('two', { Name: 'a' });
  await expect(scan([`${stores.root}/*`])).rejects.toMatchObject({ code: 'bad-config' });
});

test('a store that is listed is not found again', async () => {
  await write('listed', { Name: 'other name' });
  expect((await scan([`${stores.root}/*`], ['listed'])).stores).toMatchObject([{ name: 'listed' }]);
});

test.runIf(canMount)('one that hangs keeps none of the others out', async () => {
  await write('source/hung', { Name: 'hung' });
  await write('disks/fine', { Name: 'fine' });
  const path = join(stores.root, 'disks/hung');
  await mkdir(path);
  const mount = new Mount(join(stores.root, 'source/hung'), path);
  try {
    await mount.mount();
    mount.hang();
    const { stores: found, warnings } = await scan([`${stores.root}/disks/*`], [], 1_500);
    expect(found).toMatchObject([{ name: 'fine' }]);
    expect(warnings).toEqual([expect.stringMatching(/hung is left out: it gave no answer within 1500 ms/)]);
  } finally {
    mount.end();
  }
});
