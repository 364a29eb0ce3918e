import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../../errors/coded-error.ts';
import { formatSectorSize, parseSectorSize } from '../../filecoin/sector-size.ts';
import { availableMemory } from './available-memory.ts';
import { type ParameterList, proverTools } from './prover-tools.ts';
import { readIntoMemory, stageIn } from './stage.ts';

export interface PreparedParameters {
  readonly size: string;
  readonly directory: string;
  /** Whether there are published digests, which were compared. */
  readonly official: boolean;
  readonly files: readonly string[];
  readonly bytes: number;
  /** False: memory does not hold them beside what runs. */
  readonly inMemory: boolean;
  /** The copy in shared memory, if one was asked for. */
  readonly shared: string | null;
}

/**
 * Checks the parameters of a size, or makes them where anybody may, and brings them into memory.
 * @throws CodedError `usage`, `bad-sector-size`, `bad-parameters`, `not-enough-memory`
 */
export async function prepareParameters(init: {
  readonly size: string;
  readonly directory: string | undefined;
  /** A directory of a file system that is memory. */
  readonly sharedMemory: string | undefined;
}): Promise<PreparedParameters> {
  const { sharedMemory } = init;
  if (init.directory !== undefined && statSync(init.directory, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new CodedError('usage', `--dir ${init.directory} is no directory`);
  }
  const size = formatSectorSize(parseSectorSize(init.size));
  const where = ['--size', size, ...(init.directory === undefined ? [] : ['--dir', init.directory])];
  const listed = await proverTools.list(where);
  if (listed.official) {
    refuseMissing(listed);
    await proverTools.check(where);
  } else await proverTools.generate(where);

  const { directory, official, files } = await proverTools.list(where);
  const names = files.map(({ name }) => name);
  const paths = names.map((name) => join(directory, name));
  const bytes = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const inMemory = bytes < (await availableMemory());
  if (inMemory) await readIntoMemory(paths);
  const shared = sharedMemory === undefined ? null : await stageIn(sharedMemory, { size, official, paths, bytes });
  return { size, directory, official, files: names, bytes, inMemory, shared };
}

function refuseMissing({ size, directory, files }: ParameterList): void {
  const missing = files.filter((file) => file.bytes === null).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new CodedError(
    'bad-parameters',
    `${directory} lacks ${missing.join(' and ')}: fetch them with \`FIL_PROOFS_PARAMETER_CACHE=${directory} lotus fetch-params ${size}\`, or copy them there from a host that has them`,
    { directory, missing },
  );
}

export function preparedText(prepared: PreparedParameters): string {
  const { size, directory, official, files, bytes, inMemory, shared } = prepared;
  const gigabytes = (bytes / 1e9).toFixed(1);
  return [
    `${size} parameters ${official ? 'are the published ones' : 'are whole (made here, for tests only)'}: ${directory}`,
    ...files.map((name) => `  ${name}`),
    inMemory
      ? `in the page cache: ${gigabytes} GB, once for all provers of this host`
      : `not in the page cache: this host has less than ${gigabytes} GB to spare; the first proof reads them from disk`,
    ...(shared === null
      ? []
      : [`in shared memory: ${shared}; slaves use it with BELLMAN_LOAD_SHM=1 and FORCE_SECTOR_SIZE`]),
  ].join('\n');
}
