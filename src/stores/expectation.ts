import type { StoreShare } from './index/sector-index.ts';
import { SectorSet } from './index/sector-set.ts';
import { parseSectorName } from './scan/sector-name.ts';
import { foldersOf, IN_EACH_CACHE, type StoreFolder } from './sector-files.ts';
import { spread } from './spread.ts';
import { CANARIES } from './store-identity.ts';

/** What should be in a store. */
export interface Expectation {
  readonly folders: Iterable<StoreFolder>;
  /** Some of the files, below the store, from all over what each miner has there. */
  readonly paths: readonly string[];
  /** Whether a sealed file, or something in a cache folder, should be there. */
  readonly knows: (path: string) => boolean;
}

/** @param shares what the index knows of one store */
export function expectationOf(shares: readonly StoreShare[]): Expectation {
  const folders = new Set<StoreFolder>();
  const paths: string[] = [];
  const ofEach = Math.max(1, Math.floor(CANARIES / shares.length));
  for (const share of shares) {
    const { minerId, upgraded, sealed, cache } = share;
    const folder = foldersOf(upgraded);
    if (sealed.size > 0) folders.add(folder.sealed);
    if (cache.size > 0) folders.add(folder.cache);
    const numbers = SectorSet.union(sealed, cache);
    for (const [turn, number] of spread(numbers, numbers.size, ofEach).entries()) {
      const isCache = !sealed.has(number) || (turn % 2 === 1 && cache.has(number));
      const name = `s-t0${minerId}-${number}`;
      paths.push(isCache ? `${folder.cache}/${name}/${IN_EACH_CACHE}` : `${folder.sealed}/${name}`);
    }
  }
  return { folders, paths, knows: (path) => shares.some((share) => isIn(share, path)) };
}

function isIn({ minerId, upgraded, sealed, cache }: StoreShare, path: string): boolean {
  const [folder, name = ''] = path.split('/');
  const sector = parseSectorName(name);
  if (typeof sector === 'string' || sector.minerId !== minerId) return false;
  const folders = foldersOf(upgraded);
  return (
    (folder === folders.sealed && sealed.has(sector.number)) || (folder === folders.cache && cache.has(sector.number))
  );
}
