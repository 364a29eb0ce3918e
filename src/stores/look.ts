import { lstat, opendir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Probe } from './check-messages.ts';
import { type StoreFolder, storeFolders } from './sector-files.ts';
import { type LookedAt, lookAtEntry } from './sector-look.ts';
import type { StoreCalls } from './store-calls.ts';

// Runs in check processes only: every call here may hang with its store.

/** A store, and how its calls are made. */
export interface StoreArea extends LookedAt {
  readonly calls: StoreCalls;
  /** A call came back. */
  readonly onCall: () => void;
}

/** What identifies the store, as far as it can be told without reading files. */
export async function probe(area: StoreArea, canaries: readonly string[]): Promise<Probe> {
  const { root, onCall } = area;
  try {
    // Of all calls the one that a network file system never answers from memory.
    await statfs(root).finally(onCall);
    const { dev, ino } = await stat(root).finally(onCall);
    const filled: StoreFolder[] = [];
    for (const folder of storeFolders) if (await holdsAnything(area, folder)) filled.push(folder);
    const looks = await Promise.all(canaries.map((path) => area.calls.carryOut(lookAtEntry(area, path))));
    const count = (is: 'there' | 'missing' | 'unknown') =>
      looks.filter((one) => ('is' in one ? one.is : 'there') === is).length;
    return {
      root: `${dev}:${ino}`,
      filled,
      canaries: { found: count('there'), gone: count('missing'), doubtful: count('unknown') },
    };
  } catch (error) {
    return { filled: [], canaries: { found: 0, gone: 0, doubtful: canaries.length }, trouble: errorText(error) };
  }
}

/** @throws the file system's error, where the folder can neither be read nor called absent */
async function holdsAnything({ root, onCall }: StoreArea, folder: StoreFolder): Promise<boolean> {
  const path = join(root, folder);
  if ((await lstat(path).catch(errorCode).finally(onCall)) === 'ENOENT') return false;
  const entries = await opendir(path).finally(onCall);
  try {
    return (await entries.read().finally(onCall)) !== null;
  } finally {
    await entries.close();
  }
}
