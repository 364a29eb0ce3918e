import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyLines } from '../../src/config/key-lines.ts';
import { loadAnyFile } from '../../src/config/load-any-file.ts';
import { whereFrom } from '../../src/config/value-in-force.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wdpost-explain-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function explain(name: string, text: string) {
  const path = join(folder, name);
  await writeFile(path, text);
  const loaded = await loadAnyFile(path);
  const values = new Map(loaded.values.map((one) => [one.path, { ...one, where: whereFrom(one) }]));
  return { ...loaded, values };
}

test('each value with the line, the default or the fall-back it comes from, and other spellings', async () => {
  const { values } = await explain(
    'sector-manager.cfg',
    `[Common.API]
gateway = [ # all of them
  'aaa.bbb.ccc:/ip4/127.0.0.1/tcp/1/ws', "https://user:secret@gateway.example/key",
]
[[Miners]]
Actor = 1
[[Miners]]
Actor = 2
[Miners.post]
SENDERS = ['t0100']
SubmitConfidence = 0
`,
  );
  expect(values.get('Common.API.Gateway')).toMatchObject({
    value: 'ws://127.0.0.1:1 with a token, https://gateway.example/…',
    where: 'line 2',
  });
  expect(values.get('Common.API.Chain')).toMatchObject({ value: null, where: 'not written: the first Gateway' });
  expect(values.get('Miners[0].Actor')).toMatchObject({ value: '1', where: 'line 6' });
  expect(values.get('Miners[1].PoSt.Sender')).toMatchObject({ where: 'line 10, as SENDERS' });
  expect(values.get('Miners[1].PoSt.SubmitConfidence')).toMatchObject({ value: '0 (stands for 4)', where: 'line 11' });
  expect(values.get('Miners[1].PoSt.GasFeeCap')).toMatchObject({ value: "'5 nanoFIL'", where: 'default' });
});

test('a file of another name is known by its tables', async () => {
  const { kind, values } = await explain('gpu-3.toml', "[master]\nserver_addr = 'a:1'\n[slave]\nconcurrent = 2\n");
  expect(kind).toBe('slave.toml');
  expect(values.get('slave.concurrent')).toMatchObject({ value: '2', where: 'line 4' });
  await expect(explain('strange.toml', 'a = 1\n')).rejects.toMatchObject({ code: 'unknown-file' });
});

test('a password in a URL is not shown', async () => {
  const { values } = await explain(
    'wdpost_master.toml',
    "[db]\nurl = 'mysql://root:s3cret@db:3306/wdpost?ssl-ca=/x'\n",
  );
  expect(values.get('db.url')?.value).toBe('mysql://root@db:3306/wdpost');
});

test('lines of keys', () => {
  const text = [
    'a = 1', // 1
    '[ "B" . c ] # table', // 2
    'd.e = """', // 3
    '[not.a.table]', // 4
    'f = 2', // 5
    '"""', // 6
    'g = [', // 7
    '  "x = ]", # ]', // 8
    ']', // 9
    "h = 'a''", // 10
    '[[l.m]]', // 11
    'n = 1', // 12
    '[[l.m]]', // 13
    '[l.m.o]', // 14
    'p = { q = 1 }', // 15
  ].join('\n');
  expect(Object.fromEntries(keyLines(text))).toEqual({
    a: 1,
    'b.c.d.e': 3,
    'b.c.g': 7,
    'b.c.h': 10,
    'l.m[0].n': 12,
    'l.m[1].o.p': 15,
  });
});
