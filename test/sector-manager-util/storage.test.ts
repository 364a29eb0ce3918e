import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { meterText } from '../../src/programs/sector-manager/util/storage/scan-meter.ts';
import { storageGroup } from '../../src/programs/sector-manager/util/storage/storage-group.ts';
import { withToolbox } from '../../src/programs/sector-manager/util/toolbox.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { MINER, makeSealed, makeSector, TestStores } from '../stores/test-stores.ts';
import { createEmptySchema, createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let stores: TestStores;
let store: PersistStore;
let home: string;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stores = await TestStores.make();
  store = await stores.store('nfs1');
  home = await mkdtemp(join(tmpdir(), 'storage-'));
  await configure(`[[Common.PersistStores]]\nName = "a"\nPath = "${store.path}"`);
});
afterEach(async () => {
  await stores.remove();
  await rm(home, { recursive: true });
  await database.db.kysely.deleteFrom('store_sectors').execute();
  await database.db.kysely.deleteFrom('stores').execute();
});

/** @param lines of sector-manager.cfg, beside database and miner */
async function configure(lines: string): Promise<void> {
  const cluster = `[Common.Cluster]\nDatabase = "${database.url}"\nMaster = "127.0.0.1:1"`;
  await writeFile(join(home, 'sector-manager.cfg'), `${lines}\n${cluster}\n[[Miners]]\nActor = ${MINER}\n`);
}

/** The real program. */
function util(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = new URL('../../dist/programs/sector-manager/main.js', import.meta.url).pathname;
  return new Promise((resolve) => {
    execFile(process.execPath, [main, '--home', home, 'util', 'storage', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** A verb in this process. */
function run(name: string, args: readonly string[] = [], options: Readonly<Record<string, unknown>> = {}) {
  const verb = storageGroup.members.find((one) => one.name === name);
  if (verb === undefined || 'members' in verb) throw new TypeError(`no verb ${name}`);
  return withToolbox({ home, confDir: undefined }, (toolbox) => verb.run(toolbox, { args, options }));
}

test('attach prints the section for the config file, and a summary beside it', async () => {
  await makeSector(store, 1);
  const { code, stdout, stderr } = await util('attach', '--verbose', '--name=a', '--read-only', store.path);
  expect(stdout).toBe(`[[Common.PersistStores]]\nName = "a"\nPath = "${store.path}"\nReadOnly = true\nWeight = 0\n`);
  expect(stderr).toMatch(/^ok +1, 1 of them new$/m);
  expect(stderr).toMatch(/add the section below into the config file:\n$/);
  expect(code).toBe(0);
});

test('a store may be attached before the daemon ever ran', async () => {
  const fresh = await createEmptySchema();
  onTestFinished(() => fresh.drop());
  await writeFile(
    join(home, 'sector-manager.cfg'),
    `[Common.Cluster]\nDatabase = "${fresh.url}"\nMaster = "127.0.0.1:1"\n`,
  );
  expect(await run('list')).toMatchObject({ json: [] });
  await makeSector(store, 1);
  expect(await run('attach', [store.path], { name: 'a', json: true })).toMatchObject({ json: { ok: 1, added: 1 } });
});

test('attach names what it leaves out and ends with 3', async () => {
  await makeSector(store, 1);
  await makeSealed(store, 2);
  const { code, stderr } = await util('attach', '-v', '--name=a', store.path);
  expect(stderr).toMatch(/^s-t01000-2: cache\/s-t01000-2 does not exist$/m);
  expect(stderr).toMatch(/^cache file missing +1$/m);
  expect(code).toBe(3);
  const answer = await util('attach', '--json', '--dry-run', '--name=a', store.path);
  expect(JSON.parse(answer.stdout)).toMatchObject({
    name: 'a',
    ok: 1,
    cacheFileMissing: 1,
    dryRun: true,
    miners: [{ minerId: MINER, sectorSize: '2KiB' }],
    leftOut: [{ name: 's-t01000-2', verdict: 'cacheFileMissing' }],
  });
});

test('attach fails with one line where nothing can be scanned', async () => {
  await rm(store.path, { recursive: true });
  const { code, stdout, stderr } = await util('attach', '--name=a', store.path);
  expect(stderr).toMatch(/^error: store .*: it cannot be looked at \(ENOENT\)$/m);
  expect(stderr).not.toContain('add the section');
  expect([code, stdout.trim()]).toEqual([1, '']);
});

test('attach takes a store that is empty yet, and asks whether it is mounted', async () => {
  const { code, stdout, stderr } = await util('attach', '--name=a', store.path);
  expect(stderr).toMatch(/^nothing is in it yet.*Is it mounted\?/m);
  expect(stdout).toContain('Name = "a"');
  expect(code).toBe(0);
});

test('attach refuses a second name for a store of the config file', async () => {
  await makeSector(store, 1);
  const { code, stdout, stderr } = await util('attach', store.path);
  expect(stderr).toBe(
    `error: ${store.path} is the store a already: say --name a, or take that one out of the config file and storage detach a\n`,
  );
  expect([code, stdout]).toEqual([1, '']);
});

test.each([
  ['attach without a name that fits', 'attach', ['/x'], { name: '' }],
  ['attach with a pattern that is none', 'attach', ['/x'], { pattern: '[' }],
  ['attach that prunes a part', 'attach', ['/x'], { pattern: 'a*', prune: true }],
  ['find without a number', 'find', ['1000', 'x'], {}],
])('%s is wrong usage', async (_, name, args, options) => {
  await expect(run(name, args, options)).rejects.toMatchObject({ code: 'usage' });
});

test('find says where a sector is, and whether the daemon knows the store', async () => {
  await makeSector(store, 1);
  await makeSector(store, 2, { upgraded: true });
  await run('attach', [store.path], { name: 'a', json: true });
  expect(await run('find', ['1000', '1'])).toMatchObject({
    text: 'sector s-t01000-1 located, sealed file in "a", cache dir in "a"\n"a": store instance exists',
    exitCode: 0,
  });
  expect((await run('find', ['t01000', '2'], { upgrade: true })).exitCode).toBe(0);
  expect(await run('find', ['1000', '7'])).toMatchObject({ text: 's-t01000-7 not found', exitCode: 1 });
  await configure('');
  expect((await run('find', ['1000', '1'])).text).toContain('store instance not found, check your config file');
});

test('list shows stores of the config and of the index', async () => {
  await makeSector(store, 1);
  const other = await stores.store('other');
  await makeSector(other, 2);
  await run('attach', [other.path], { name: 'b', json: true });
  expect((await run('list')).json).toMatchObject([
    { name: 'a', isConfigured: true, sealed: 0, path: store.path },
    { name: 'b', isConfigured: false, sealed: 1, cache: 1, miners: [MINER], path: other.path },
  ]);
});

test('detach forgets a store and leaves its files', async () => {
  const { sealed } = await makeSector(store, 1);
  await run('attach', [store.path], { name: 'a', json: true });
  expect((await run('detach', ['a'])).exitCode).toBe(0);
  expect((await run('find', ['1000', '1'])).exitCode).toBe(1);
  expect((await readFile(sealed)).length).toBe(2_048);
  expect((await run('detach', ['a'])).exitCode).toBe(1);
});

test('a folder with a sectorstore.json is a store', async () => {
  const found = join(stores.root, 'found');
  await mkdir(found);
  await run('gen-sectorstore-json', [found], { weight: '2', allowMiners: '1000,1001', name: 'c' });
  await expect(run('gen-sectorstore-json', [found], { weight: '1' })).rejects.toMatchObject({ code: 'not-written' });
  await configure(`[Common]\nScanPersistStores = ["${stores.root}/*"]`);
  expect((await run('list')).json).toMatchObject([{ name: 'c', path: found, isConfigured: true }]);
});

test('a meter tells the rate, and the time left once it is known', () => {
  const progress = { listed: 4_000, looked: 1_000, isListed: true };
  expect(meterText(progress, 1_000, true)).toBe('[######------------------] 1,000 of 4,000 sectors, 1,000/s, 3s left');
  expect(meterText({ ...progress, isListed: false }, 1_000, false)).toBe('1,000 of 4,000 or more sectors, 1,000/s');
  expect(meterText({ listed: 0, looked: 0, isListed: false }, 1_000, true)).toBe('listing the folders of the store');
});
