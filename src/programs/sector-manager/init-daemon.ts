import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleText } from '../../config/example-text.ts';
import { extProverFile } from '../../config/ext-prover-file.ts';
import { managerFile } from '../../config/manager-file.ts';
import { CodedError, errorCode } from '../../errors/coded-error.ts';

export interface InitialFiles {
  readonly written: readonly string[];
  /** They were there already. */
  readonly kept: readonly string[];
}

/** Writes commented examples; a file that is there is never touched. @throws CodedError `cannot-write` */
export async function initDaemon(home: string): Promise<InitialFiles> {
  await mkdir(home, { recursive: true }).catch((error: unknown) => {
    throw cannotWrite(home, error);
  });
  const written: string[] = [];
  const kept: string[] = [];
  for (const table of [managerFile, extProverFile]) {
    const path = join(home, table.name);
    try {
      await writeFile(path, exampleText(table), { flag: 'wx' });
      written.push(path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw cannotWrite(path, error);
      kept.push(path);
    }
  }
  return { written, kept };
}

export function initText({ written, kept }: InitialFiles): string {
  return [...written, ...kept.map((path) => `${path} is there already, and stays as it is`)].join('\n');
}

function cannotWrite(path: string, error: unknown): CodedError {
  return new CodedError('cannot-write', `${path} cannot be written (${errorCode(error)})`);
}
