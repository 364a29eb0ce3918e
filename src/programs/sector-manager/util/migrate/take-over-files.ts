import { constants } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CodedError, errorCode } from '../../../../errors/coded-error.ts';

export interface TakenOver {
  readonly name: string;
  readonly is: 'copied' | 'there already' | 'not there';
}

const NAMES = ['sector-manager.cfg', 'ext-prover.cfg'];

/** Copies the files of the old home; one that is there is never overwritten. */
export async function takeOverFiles(from: string, to: string, dryRun: boolean): Promise<TakenOver[]> {
  if (resolve(from) === resolve(to)) return NAMES.map((name) => ({ name, is: 'there already' }));
  if (!dryRun) await mkdir(to, { recursive: true });
  return await Promise.all(NAMES.map(async (name) => ({ name, is: await takeOver(join(from, name), join(to, name)) })));

  async function takeOver(source: string, target: string): Promise<TakenOver['is']> {
    try {
      if (!dryRun) await copyFile(source, target, constants.COPYFILE_EXCL);
      return 'copied';
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return 'there already';
      if (errorCode(error) === 'ENOENT') return 'not there';
      throw new CodedError('cannot-copy', `${source} cannot be copied to ${target} (${errorCode(error)})`);
    }
  }
}
