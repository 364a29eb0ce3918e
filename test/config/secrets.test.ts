import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadAnyFile } from '../../src/config/load-any-file.ts';

/** All that reading the file says, whether it is taken or refused. */
async function told(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, text);
  const { values, warnings } = await loadAnyFile(path).catch((error: unknown) => ({
    values: [],
    warnings: [String(error), JSON.stringify(error)],
  }));
  return [...values.map(({ path: key, value }) => `${key} = ${value}`), ...warnings].join('\n');
}

test.each([
  [
    'the account of a plug-in',
    'sector-manager.cfg',
    `[[Common.PersistStores]]\nPath = '/x'\nMeta = { AccessKey = 'topsecret', SecretKey = 'topsecret' }\n`,
    'Common.PersistStores[0].Meta = { AccessKey, SecretKey } (values not shown)',
  ],
  [
    'the same with a wrong value',
    'sector-manager.cfg',
    `[[Common.PieceStores]]\nMeta = { SecretKey = 'topsecret', Port = 5 }\n`,
    'Common.PieceStores[0].Meta is a value that cannot be read (not shown); write a table of texts',
  ],
  [
    'a token before the address of a master',
    'sector-manager.cfg',
    `[Common.Cluster]\nMaster = 'tok:topsecret@host:1'\n`,
    "Common.Cluster.Master is a value that cannot be read (not shown); write 'host:port'",
  ],
  [
    'the same in a list',
    'slave.toml',
    `[master]\nserver_addr = ['a:1', 'topsecret:host:1']\n`,
    'master.server_addr is a value that cannot be read (not shown)',
  ],
  [
    'a user before a host',
    'slave.toml',
    `[master]\nserver_addr = 'topsecret@host:1'\n`,
    'master.server_addr is a value that cannot be read (not shown)',
  ],
  [
    'user and query of a URL, which would be logged with each connection',
    'slave.toml',
    `[master]\nserver_addr = 'ws://user:topsecret@host:1/?token=topsecret'\n`,
    '(no user, password or query belongs in it: a token is named by its file or WDPOST_TOKEN)',
  ],
  [
    'variables and arguments of a child',
    'ext-prover.cfg',
    `[[WdPost]]\nBin = '/bin/p'\nArgs = ['-c', '/etc/m.toml', '--key', 'topsecret', '--token=topsecret', '-ptopsecret', 'topsecret']\n[WdPost.Envs]\nWDPOST_TOKEN = 'topsecret'\n`,
    "WdPost[0].Args = ['-c', '/etc/m.toml', '--key', '…', '--token…', '…', '…']",
  ],
  [
    'a variable by name',
    'ext-prover.cfg',
    `[[WdPost]]\n[WdPost.Envs]\nWDPOST_TOKEN = 'topsecret'\n`,
    'WdPost[0].Envs = { WDPOST_TOKEN } (values not shown)',
  ],
])('not shown: %s', async (_, name, text, said) => {
  const all = await told(name, text);
  expect(all).toContain(said);
  expect(all).not.toContain('topsecret');
});

test('a wrong address that can hold no secret is shown', async () => {
  expect(await told('slave.toml', "[master]\nserver_addr = 'localhost'\n")).toContain(
    'server_addr is "localhost"; write',
  );
});
