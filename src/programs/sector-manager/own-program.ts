import { readFile, realpath } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { programPath } from './program-path.ts';

const PACKAGE = 'wdpost-cluster';

/**
 * Whether it is the program of this name of this installation, or of another release of it, as in the middle of an upgrade. One that is
 * not there is taken for ours: whoever starts it says what is wrong.
 * @param searched folders in which a program without one is looked for, as PATH has them
 */
export async function isOwnProgram(bin: string, searched: string | undefined): Promise<boolean> {
  const real = await whereIs(bin, searched);
  if (real === undefined) return true;
  if (real === (await realpath(programPath(basename(bin))).catch(() => undefined))) return true;
  try {
    const text = await readFile(join(dirname(real), '..', 'package.json'), 'utf8');
    return JSON.parse(text).name === PACKAGE;
  } catch {
    return false;
  }
}

async function whereIs(bin: string, searched = ''): Promise<string | undefined> {
  const places = bin.includes('/') ? [bin] : searched.split(delimiter).map((folder) => join(folder, bin));
  for (const place of places) {
    const real = await realpath(place).catch(() => undefined);
    if (real !== undefined) return real;
  }
  return undefined;
}
