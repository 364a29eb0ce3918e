import type { Stats } from 'node:fs';
import { lstat, opendir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { CanaryLooks } from './canary-looks.ts';
import type { Finding, Probe } from './check-messages.ts';
import { type StoreFolder, storeFolders } from './sector-files.ts';
import { type LookedAt, lookAtEntry } from './sector-look.ts';
import type { StoreCalls } from './store-calls.ts';

// Runs in check processes only: every call here may hang with its store.

/** A store, and how its calls are made. */
export interface StoreArea extends LookedAt {
  readonly calls: StoreCalls;
  readonly canaryLooks: CanaryLooks<Stats | Finding>;
}

/** What identifies the store, as far as it can be told without reading files. @param onCall a call came back */
export async function probe(
  area: StoreArea,
  { canaries, canaryLimitMs }: { readonly canaries: readonly string[]; readonly canaryLimitMs: number },
  onCall: () => void,
): Promise<Probe> {
  const { root, calls, canaryLooks } = area;
  try {
    // Of all calls the one that a network file system never answers from memory.
    await statfs(root).finally(onCall);
    const { dev, ino } = await stat(root).finally(onCall);
    const filled: StoreFolder[] = [];
    for (const folder of storeFolders) if (await holdsAnything(root, folder, onCall)) filled.push(folder);
    const looks = await Promise.all(
      canaries.map((path) =>
        canaryLooks.look(path, canaryLimitMs, () => calls.carryOut(lookAtEntry(area, path), onCall)),
      ),
    );
    const count = (is: 'there' | 'missing' | 'unknown') => looks.filter((one) => isOf(one) === is).length;
    return {
      root: `${dev}:${ino}`,
      filled,
      canaries: { found: count('there'), gone: count('missing'), doubtful: count('unknown') },
    };
  } catch (error) {
    return { filled: [], canaries: { found: 0, gone: 0, doubtful: canaries.length }, trouble: errorText(error) };
  }
}

function isOf(found: Stats | Finding | undefined): Finding['is'] | 'there' {
  if (found === undefined) return 'unknown';
  if ('is' in found) return found.is;
  // An empty file has lost what it held.
  return found.size > 0 ? 'there' : 'missing';
}

/** @throws the file system's error, where the folder can neither be read nor called absent */
async function holdsAnything(root: string, folder: StoreFolder, onCall: () => void): Promise<boolean> {
  const path = join(root, folder);
  if ((await lstat(path).catch(errorCode).finally(onCall)) === 'ENOENT') return false;
  const entries = await opendir(path).finally(onCall);
  try {
    return (await entries.read().finally(onCall)) !== null;
  } finally {
    await entries.close();
  }
}
