import { join } from 'node:path';
import type { Look } from './check-messages.ts';
import type { PersistStore } from './persist-store.ts';
import type { SectorCopy } from './sector-check.ts';
import type { SectorFiles } from './sector-files.ts';

interface Looked {
  readonly store: PersistStore;
  readonly look: Look;
}

/**
 * The first copy that is whole in what these stores said; its sealed file and cache folder may come from different stores. After
 * corrupt ones the best is one that shares no file with them. One is left out where both its files were of a corrupt one: which of
 * the two is to blame nobody knows, and all pairs of what is there would take too long.
 */
export function bestCopy<L extends Looked>(
  files: SectorFiles,
  looks: readonly L[],
  corrupt: readonly SectorCopy[] = [],
): { readonly sealed: L; readonly cache: L } | undefined {
  let best: { readonly sealed: L; readonly cache: L } | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const sealed of looks) {
    if (sealed.look.sealed.is !== 'good') continue;
    for (const cache of looks) {
      if (cache.look.cache.is !== 'good') continue;
      const tried = corrupt.length === 0 ? 0 : triedFiles(pathsOf(files, { sealed, cache }), corrupt);
      const cost = 2 * tried + (sealed === cache ? 0 : 1);
      if (tried === 2 || cost >= least) continue;
      best = { sealed, cache };
      least = cost;
    }
  }
  return best;
}

export function pathsOf(
  files: SectorFiles,
  { sealed, cache }: { readonly sealed: Looked; readonly cache: Looked },
): Pick<SectorCopy, 'sealedFile' | 'cacheDir'> {
  return {
    sealedFile: join(sealed.store.path, files.sealed.path),
    cacheDir: join(cache.store.path, files.cache.path),
  };
}

/** 0 to 2. */
function triedFiles(
  { sealedFile, cacheDir }: Pick<SectorCopy, 'sealedFile' | 'cacheDir'>,
  corrupt: readonly SectorCopy[],
): number {
  const isSealedTried = corrupt.some((copy) => copy.sealedFile === sealedFile);
  const isCacheTried = corrupt.some((copy) => copy.cacheDir === cacheDir);
  return Number(isSealedTried) + Number(isCacheTried);
}
