import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadClientToken, loadTokens, scopesOf } from '../../src/rpc/tokens.ts';

async function tokenFile(text: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tokens-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'token');
  await writeFile(file, text);
  return file;
}

const text = '# who may what\nsubmit,read  aaa\r\n\n slave bbb\n';

test('a file names tokens with their scopes, the environment one for everything', async () => {
  const tokens = await loadTokens({ file: await tokenFile(text), env: { WDPOST_TOKEN: 'ccc' } });
  expect([...(scopesOf(tokens, 'aaa') ?? [])]).toEqual(['submit', 'read']);
  expect([...(scopesOf(tokens, 'bbb') ?? [])]).toEqual(['slave']);
  expect([...(scopesOf(tokens, 'ccc') ?? [])]).toEqual(['slave', 'submit', 'admin', 'read']);
  for (const wrong of ['', 'aa', 'aaaa', 'slave bbb']) expect(scopesOf(tokens, wrong)).toBeUndefined();
});

test('there may be none', async () => {
  await expect(loadTokens({ env: { WDPOST_TOKEN: '' } })).resolves.toEqual([]);
});

test.each([
  ['submit\n', /token line 1: expected "<scope\[,scope\]> <token>"/],
  ['slave a\nsubmit b c\n', /token line 2: expected/],
  ['root abc\n', /token line 1: unknown scope; use slave, submit, admin, read/],
  ['# nothing\n', /has no token/],
])('%j is refused in one line', async (bad, message) => {
  const file = await tokenFile(bad);
  const error = await loadTokens({ file, env: {} }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'bad-token-file', message: expect.stringMatching(message) });
  // Never the secret itself.
  expect(String(error)).not.toContain('abc');
});

test('a missing file is named', async () => {
  await expect(loadTokens({ file: '/nonexistent/token', env: {} })).rejects.toMatchObject({
    code: 'bad-token-file',
    message: expect.stringContaining('/nonexistent/token'),
  });
});

test('a client shows WDPOST_TOKEN, else the only word of the file, else its line for the scope', async () => {
  const file = await tokenFile(text);
  await expect(loadClientToken({ file, env: { WDPOST_TOKEN: 'ccc' } }, 'slave')).resolves.toBe('ccc');
  await expect(loadClientToken({ file, env: {} }, 'slave')).resolves.toBe('bbb');
  await expect(loadClientToken({ file: await tokenFile('word\n'), env: {} }, 'slave')).resolves.toBe('word');
  await expect(loadClientToken({ env: {} }, 'slave')).resolves.toBeUndefined();
  await expect(loadClientToken({ file, env: {} }, 'admin')).rejects.toMatchObject({ code: 'bad-token-file' });
});
