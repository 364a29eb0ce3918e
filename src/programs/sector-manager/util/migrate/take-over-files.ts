import { constants } from 'node:fs';
import { access, copyFile, lstat, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CodedError, errorCode } from '../../../../errors/coded-error.ts';

export interface TakenOver {
  readonly name: string;
  readonly is: 'copied' | 'there already' | 'not there';
}

const NAMES = ['sector-manager.cfg', 'ext-prover.cfg'];

/**
 * Copies the files of the old home; one that is there is never overwritten. A dry run says the same and copies nothing.
 * @throws CodedError `cannot-copy`
 */
export async function takeOverFiles(from: string, to: string, dryRun: boolean): Promise<TakenOver[]> {
  if (resolve(from) === resolve(to)) return NAMES.map((name) => ({ name, is: 'there already' }));
  if (!dryRun) await mkdir(to, { recursive: true });
  return await Promise.all(NAMES.map(async (name) => ({ name, is: await takeOver(join(from, name), join(to, name)) })));

  async function takeOver(source: string, target: string): Promise<TakenOver['is']> {
    try {
      if (dryRun) return await wouldBe(source, target);
      await copyFile(source, target, constants.COPYFILE_EXCL);
      return 'copied';
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return 'there already';
      if (errorCode(error) === 'ENOENT') return 'not there';
      throw new CodedError('cannot-copy', `${source} cannot be copied to ${target} (${errorCode(error)})`);
    }
  }
}

/** Fails as copying would. */
async function wouldBe(source: string, target: string): Promise<TakenOver['is']> {
  await access(source, constants.R_OK);
  if (await isThere(target)) return 'there already';
  let folder = dirname(resolve(target));
  while (!(await isThere(folder))) folder = dirname(folder);
  await access(folder, constants.W_OK | constants.X_OK);
  return 'copied';
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
