import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { prepareParameters } from '../../src/programs/parameters/prepare.ts';
import { stageIn } from '../../src/programs/parameters/stage.ts';

const program = fileURLToPath(new URL('../../bin/gen_cache_and_param_blst', import.meta.url));
const directory = process.env.FIL_PROOFS_PARAMETER_CACHE;
let whole: Awaited<ReturnType<typeof prepareParameters>>;
beforeAll(async () => {
  whole = await prepareParameters({ size: '2KiB', directory, sharedMemory: undefined });
});

async function emptyDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'parameters-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

/** The command as people type it. */
function run(...args: string[]): Promise<{ code: unknown; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(program, ['wdpost-param', ...args], (error, out, stderr) => {
      resolve({ code: error?.code ?? 0, out, error: stderr });
    });
  });
}

test('parameters that are there are checked and read into memory', async () => {
  const { code, out } = await run('--size', '2KiB', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(whole);
  expect(whole).toMatchObject({ size: '2KiB', directory, official: false, inMemory: true, shared: null });
  expect(whole.files.map((name) => name.replace(/.*\./, ''))).toEqual(['vk', 'params']);
  expect((await run('--size', '2KiB')).out).toContain('in the page cache');
});

test('official ones that are missing are named, with the place where they belong', async () => {
  const dir = await emptyDirectory();
  expect(await run('--size', '32GiB', '--dir', dir)).toEqual({
    code: 1,
    out: '',
    error: expect.stringMatching(
      new RegExp(
        `^error: ${dir} lacks v28-\\S+\\.vk and v28-\\S+\\.params: fetch them with .*lotus fetch-params 32GiB.*\n$`,
      ),
    ),
  });
});

test('official names with other bytes in them are refused', async () => {
  const dir = await emptyDirectory();
  const { error } = await run('--size', '32GiB', '--dir', dir);
  for (const name of error.match(/v28-\S+/g) ?? []) await writeFile(join(dir, name.replace(/[:,]$/, '')), 'not them');
  const refused = await run('--size', '32GiB', '--dir', dir);
  expect(refused).toMatchObject({
    code: 1,
    error: expect.stringMatching(/^error: parameter file .* has 8 bytes instead of/),
  });
});

test('a size that is none is refused', async () => {
  expect(await run('--size', '32GB')).toMatchObject({ code: 2, error: expect.stringContaining('choices are 2KiB, ') });
  expect(await run()).toMatchObject({ code: 2 });
});

test('a copy in shared memory is whole or absent, and made once', async () => {
  const root = await emptyDirectory();
  const files = {
    size: '2KiB',
    official: false,
    paths: whole.files.map((name) => join(whole.directory, name)),
    bytes: whole.bytes,
  } as const;
  const copy = join(root, 'filecoin-proof-parameters', '2KiB');
  expect(await stageIn(root, files)).toBe(copy);
  expect((await readdir(copy)).sort()).toEqual([...whole.files].sort());
  expect(await stageIn(root, files)).toBe(copy);
  const other = await emptyDirectory();
  const tooMany = stageIn(other, { ...files, bytes: 2 ** 50 });
  await expect(tooMany).rejects.toMatchObject({ code: 'not-enough-memory', message: expect.stringContaining('--shm') });
  expect(await readdir(other)).toEqual([]);
});
