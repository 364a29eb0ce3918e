import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The release as somebody gets it: packed from what is built, then unpacked. */
export async function unpackRelease(): Promise<{ readonly root: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'release-'));
  const { stdout } = await run('bin/release', ['--out', dir]);
  await run('tar', ['-xzf', stdout.trim(), '--strip-components=1', '--one-top-level=unpacked', '-C', dir]);
  return { root: join(dir, 'unpacked'), remove: () => rm(dir, { recursive: true }) };
}
