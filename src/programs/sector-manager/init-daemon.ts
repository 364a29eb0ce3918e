import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleText } from '../../config/example-text.ts';
import { extProverFile } from '../../config/ext-prover-file.ts';
import { managerFile } from '../../config/manager-file.ts';
import { CodedError, errorCode } from '../../errors/coded-error.ts';

/** Writes commented examples; a file that is there is never touched. Returns what was written. */
export async function initDaemon(home: string): Promise<string[]> {
  await mkdir(home, { recursive: true });
  const written: string[] = [];
  for (const table of [managerFile, extProverFile]) {
    const path = join(home, table.name);
    try {
      await writeFile(path, exampleText(table), { flag: 'wx' });
      written.push(path);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      throw new CodedError('cannot-write', `${path} cannot be written (${errorCode(error)})`, { cause: error });
    }
  }
  return written;
}
