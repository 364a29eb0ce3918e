import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { loadMasterConfig } from '../../src/config/master-file.ts';
import { loadSlaveConfig } from '../../src/config/slave-file.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wdpost-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const slave = "[master]\nserver_addr = '127.0.0.1:4698'\n";

test('an unknown key is a warning that names it and the nearest known one', async () => {
  const path = await write('slave.toml', `${slave}reconect_interval = '3s'\n[slave]\ncolour = 1\n[other]\nx = 1\n`);
  const { config, warnings } = await loadSlaveConfig(path);
  expect(config.master.reconnectIntervalMs).toBe(3000);
  expect([...warnings].sort()).toEqual([
    `${path}: unknown key master.reconect_interval is ignored; did you mean master.reconnect_interval?`,
    `${path}: unknown key other is ignored`,
    `${path}: unknown key slave.colour is ignored`,
  ]);
});

test('keys are read in any case, and the first of two spellings counts', async () => {
  const path = await write(
    'slave.toml',
    "[MASTER]\nServer_Addr = ['a:1', 'wss://b/x']\n[slave]\nConcurrent = 2\nconcurrent = 3\n",
  );
  const { config, warnings } = await loadSlaveConfig(path);
  expect(config.master.serverAddr).toEqual(['a:1', 'wss://b/x']);
  expect(config.slave.concurrent).toBe(2);
  expect(warnings).toEqual([`${path}: slave.concurrent is ignored: slave.Concurrent says the same and comes first`]);
});

test.each([
  ["[slave]\nconcurrent = 'two'", `slave.concurrent is "two"; write a whole number, 1 or more`],
  ['[slave]\nconcurrent = 0', 'slave.concurrent is 0; write a whole number, 1 or more'],
  ['[slave]\npull_interval = 5', "slave.pull_interval is 5; write a duration such as '15s', '10m', '1h30m' or '2days'"],
  ['slave = 3', 'slave must be a table; write [slave]'],
])('a wrong value names file, key, value and what to write: %s', async (text, message) => {
  const path = await write(
    'slave.toml',
    `${text.startsWith('[') ? slave : ''}${text}\n${text.startsWith('[') ? '' : slave}`,
  );
  await expect(loadSlaveConfig(path)).rejects.toMatchObject({ code: 'bad-config', message: `${path}: ${message}` });
});

test('a key that must be there', async () => {
  const path = await write('slave.toml', '');
  await expect(loadSlaveConfig(path)).rejects.toMatchObject({
    code: 'bad-config',
    message: `${path}: master.server_addr is missing; write 'host:port' such as '192.0.2.1:4698', or a ws:// or wss:// URL, or a list of them`,
  });
});

test('a missing file says what to copy', async () => {
  const path = join(folder, 'none.toml');
  await expect(loadMasterConfig(path)).rejects.toMatchObject({
    code: 'config-not-found',
    message: `there is no ${path}; copy config/wdpost_master.toml there and adapt it`,
  });
});

test('a folder in place of a file', async () => {
  await expect(loadMasterConfig(folder)).rejects.toMatchObject({ code: 'config-not-readable' });
});

test('text that is no TOML names the line', async () => {
  const path = await write('wdpost_master.toml', '[server]\nlisten = \n');
  await expect(loadMasterConfig(path)).rejects.toMatchObject({
    code: 'bad-config',
    message: `${path} line 2 column 10 is not TOML: unexpected end of line`,
  });
});

test('a password is never shown', async () => {
  const path = await write('wdpost_master.toml', "[db]\nurl = 'mysql://root:s3#cret@localhost/wdpost'\n");
  const error = await loadMasterConfig(path).catch((failure: unknown) => failure);
  expect(String(error)).toContain('db.url is a value that cannot be read (not shown); write ');
  expect(JSON.stringify(error) + String(error)).not.toContain('cret');
});

test('one table where an array of tables belongs', async () => {
  const path = await write('manager.cfg', '[Miners]\nActor = 1\n');
  await expect(loadManagerConfig(path)).rejects.toMatchObject({
    message: `${path}: Miners must be an array of tables; write [[Miners]] with two brackets`,
  });
});

test('a wrong value inside an array names its place', async () => {
  const path = await write(
    'manager.cfg',
    "[[Miners]]\nActor = 1\n[[Miners]]\nActor = 2\n[Miners.PoSt]\nGasFeeCap = '5'\n",
  );
  await expect(loadManagerConfig(path)).rejects.toMatchObject({
    message: `${path}: Miners[1].PoSt.GasFeeCap is "5" (the unit is missing); write an amount with its unit such as '5 nanoFIL', '0.07 FIL' or '100 attoFIL'`,
  });
});

test('a mistyped sender says why it is none', async () => {
  const path = await write('manager.cfg', "[[Miners]]\nActor = 1\n[Miners.PoSt]\nSender = 'f0x'\n");
  await expect(loadManagerConfig(path)).rejects.toMatchObject({
    message: expect.stringContaining('Miners[0].PoSt.Sender is "f0x" (bad address'),
  });
});

test('two stores of one name and two sections of one miner', async () => {
  const stores = await write(
    'stores.cfg',
    "[[Common.PersistStores]]\nPath = '/a'\n[[Common.PersistStores]]\nName = '/a'\nPath = '/b'\n",
  );
  await expect(loadManagerConfig(stores)).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining('PersistStores[1].Name is "/a"'),
  });
  const miners = await write('miners.cfg', "[[Miners]]\nActor = 't01'\n[[Miners]]\nActor = 1\n");
  await expect(loadManagerConfig(miners)).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining('Miners[1].Actor is 1 a second time'),
  });
});

test('older and newer spellings', async () => {
  const path = await write(
    'manager.cfg',
    `[Common]
ScanPersistStores = ['/mnt/*']
[Common.API]
Gateway = ['/dns/gateway.example.com/tcp/83/wss']
Token = 'shared'
[Common.Cluster]
Database = 'mysql://root@localhost/wdpost'
Master = '127.0.0.1:4698'
[[Common.PersistStores]]
Path = 'relative'
PluginName = 'objstore'
[[Miners]]
Actor = 1
[Miners.SnapUp]
MessageConfidential = 3
[Miners.PoSt]
Senders = ['t01000', 't01001']
GasFeeCap = '0'
MaxFeeCap = '7 nanoFIL'
[Miners.Commitment.Pre.Batch]
MaxFeeCap = ''
`,
  );
  const { config, warnings } = await loadManagerConfig(path);
  expect(warnings).toEqual([
    `${path}: not applicable: Common.PersistStores.Plugin: there are no plug-ins, so an entry with one is ignored`,
    `${path}: not applicable: Miners.SnapUp.MessageConfidence: this version makes no snap deals`,
    `${path}: Common.PersistStores[0] is ignored: it needs the plug-in objstore, and only folders are supported`,
  ]);
  expect(config.common.scanPersistStores).toEqual(['/mnt/*']);
  expect(config.common.api.chain).toEqual([{ url: 'wss://gateway.example.com:83', token: 'shared' }]);
  expect(config.common.cluster).toEqual({ database: ['mysql://root@localhost/wdpost'], master: ['127.0.0.1:4698'] });
  expect(config.miners[0]?.snapUp.messageConfidence).toBe(3);
  expect(config.miners[0]?.post.senders).toHaveLength(2);
  expect(config.miners[0]?.post.maxFee).toBe(5n * 10n ** 18n);
});

test('a configured store is a store of the existence check', async () => {
  const path = await write('manager.cfg', "[[Common.PersistStores]]\nPath = '/a/'\n");
  const stores: readonly PersistStore[] = (await loadManagerConfig(path)).config.common.persistStores;
  expect(stores).toMatchObject([{ name: '/a', path: '/a' }]);
});
