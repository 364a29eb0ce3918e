import type { Clock } from '../../clock/clock.ts';
import { endStoreProcess, linesOf, startStoreProcess } from './store-process.ts';

/** A line of folder-ids-process; the last one has no path. */
export interface FolderId {
  readonly path?: string;
  readonly id?: string;
}

const LIMIT_MS = 5_000;
/** Each may hang in another store. */
const CALLS = 64;

/** Device and inode of folders, by path; those that are not there, or do not answer, are left out. */
export async function folderIds(
  clock: Clock,
  paths: readonly string[],
  limitMs = LIMIT_MS,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  if (paths.length === 0) return ids;
  const child = startStoreProcess('folder-ids-process', { args: paths, calls: CALLS });
  // Its output ends.
  const callOff = clock.after(limitMs, () => endStoreProcess(child));
  try {
    for await (const line of linesOf(child)) {
      const { path, id }: FolderId = JSON.parse(line);
      if (path === undefined) break;
      if (id !== undefined) ids.set(path, id);
    }
  } finally {
    callOff();
    endStoreProcess(child);
  }
  return ids;
}
