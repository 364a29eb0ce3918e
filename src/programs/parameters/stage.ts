import { createReadStream } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CodedError, errorCode } from '../../errors/coded-error.ts';
import { sharedParameters } from '../../ext-processor/shared-parameters.ts';
import type { SectorSizeName } from '../../filecoin/sector-size.ts';
import { availableMemory } from './available-memory.ts';

const CHUNK = 4 * 2 ** 20;
/** A proof of 64GiB reserves 76 GiB, one of 32GiB 72; test sizes stay below 192 MiB (docs/prover.md). */
const BESIDE = { official: 80 * 2 ** 30, test: 2 ** 30 };

/** The kernel keeps what was read. */
export async function readIntoMemory(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for await (const _ of createReadStream(path, { highWaterMark: CHUNK }));
  }
}

/**
 * Copies the files to shared memory. Reading sectors can drive them out of the page cache, and nothing can drive them out of there:
 * so it is done only where a proof fits beside them.
 * @throws CodedError `not-enough-memory`
 */
export async function stageIn(
  root: string,
  files: {
    readonly size: SectorSizeName;
    readonly official: boolean;
    /** The `.params` file last. */
    readonly paths: readonly string[];
    readonly bytes: number;
  },
): Promise<string> {
  const directory = sharedParameters(files.size, root);
  if (await isThere(directory, files.paths)) return directory;
  const { bavail, bsize } = await statfs(root);
  const wanted = files.bytes + (files.official ? BESIDE.official : BESIDE.test);
  const memory = await availableMemory();
  if (bavail * bsize < files.bytes || memory < wanted) {
    throw new CodedError(
      'not-enough-memory',
      `--shm: a copy and a proof beside it need ${gibibytes(wanted)} of memory and ${gibibytes(files.bytes)} in ${root}; there are ` +
        `${gibibytes(memory)} and ${gibibytes(bavail * bsize)}. Leave --shm out: the page cache holds the parameters once for all provers`,
    );
  }
  await mkdir(directory, { recursive: true });
  for (const path of files.paths) {
    const copy = join(directory, basename(path));
    const unfinished = `${copy}.${process.pid}`;
    try {
      await copyFile(path, unfinished);
      await rename(unfinished, copy);
    } finally {
      await rm(unfinished, { force: true });
    }
  }
  return directory;
}

async function isThere(directory: string, paths: readonly string[]): Promise<boolean> {
  const pairs = paths.map(async (path) => {
    const [there, here] = await Promise.all([lengthOf(join(directory, basename(path))), lengthOf(path)]);
    return there === here;
  });
  return (await Promise.all(pairs)).every(Boolean);
}

async function lengthOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
