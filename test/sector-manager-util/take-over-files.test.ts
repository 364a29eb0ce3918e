import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { takeOverFiles } from '../../src/programs/sector-manager/util/migrate/take-over-files.ts';

let from: string;
let to: string;
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'take-over-'));
  onTestFinished(() => rm(root, { recursive: true }));
  [from, to] = [join(root, 'old'), join(root, 'etc', 'new')];
  await mkdir(from);
  await writeFile(join(from, 'sector-manager.cfg'), 'of old');
});

const said = (manager: string, extProver: string) => [
  { name: 'sector-manager.cfg', is: manager },
  { name: 'ext-prover.cfg', is: extProver },
];

test('a dry run says what the real one does then, and writes nothing', async () => {
  const expected = said('copied', 'not there');
  expect(await takeOverFiles(from, to, true)).toEqual(expected);
  await expect(readdir(to)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await takeOverFiles(from, to, false)).toEqual(expected);
  expect(await readFile(join(to, 'sector-manager.cfg'), 'utf8')).toBe('of old');
});

test('what is there stays, and both say so', async () => {
  await mkdir(to, { recursive: true });
  await writeFile(join(to, 'sector-manager.cfg'), 'mine');
  for (const dryRun of [true, false]) {
    expect(await takeOverFiles(from, to, dryRun)).toEqual(said('there already', 'not there'));
  }
  expect(await readFile(join(to, 'sector-manager.cfg'), 'utf8')).toBe('mine');
  expect(await takeOverFiles(to, to, true)).toEqual(said('there already', 'there already'));
});

test('a folder that cannot be one is an error of both', async () => {
  await writeFile(join(from, '..', 'etc'), '');
  await expect(takeOverFiles(from, to, true)).rejects.toMatchObject({
    code: 'cannot-copy',
    message: expect.stringMatching(
      /sector-manager\.cfg cannot be copied to .*\/etc\/new\/sector-manager\.cfg \(ENOTDIR\)$/,
    ),
  });
  await expect(takeOverFiles(from, to, false)).rejects.toMatchObject({ code: 'ENOTDIR' });
});
