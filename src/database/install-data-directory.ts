import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CodedError } from '../errors/coded-error.ts';
import { findServerProgram, serverUser } from './server-programs.ts';

const run = promisify(execFile);

/** Fills a new data directory beside its place and renames it, so that a half-made one is never taken for a database. */
export async function installDataDirectory(dataDir: string): Promise<void> {
  if (await exists(dataDir)) return;
  const program = await findServerProgram('mariadb-install-db');
  const temporary = await mkdtemp(`${dataDir}.new-`);
  try {
    await run(
      program,
      [
        '--no-defaults',
        `--datadir=${temporary}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        ...serverUser(),
      ],
      { env: { ...process.env, TMPDIR: await ownTemporaryDirectory(temporary) } },
    );
    await rename(temporary, dataDir);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another program may have been faster.
    if (await exists(dataDir)) return;
    throw new CodedError('embedded-database-failed', `no database can be made in ${dataDir}`, { cause: error });
  } finally {
    await rm(`${temporary}.tmp`, { recursive: true, force: true });
  }
}

/** A server that starts removes the temporary tables of every other one in its TMPDIR, so each has its own, beside its data. */
export async function ownTemporaryDirectory(dataDir: string): Promise<string> {
  const path = `${dataDir}.tmp`;
  await mkdir(path, { recursive: true });
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
