import type { StoreShare } from './index/sector-index.ts';
import { SectorSet } from './index/sector-set.ts';
import { parseSectorName } from './scan/sector-name.ts';
import type { StoreFolder } from './sector-files.ts';
import { spread } from './spread.ts';

/** What should be in a store. */
export interface Expectation {
  readonly folders: Iterable<StoreFolder>;
  /** Some of the sealed files and cache folders, below the store, of each of its miners; those that tell most first. */
  readonly paths: readonly string[];
  /** Whether a sealed file or cache folder should be there. */
  readonly knows: (path: string) => boolean;
}

const FROM_SHARE = 16;

/** @param shares what the index knows of one store */
export function expectationOf(shares: readonly StoreShare[]): Expectation {
  const folders = new Set<StoreFolder>();
  const paths: string[][] = [];
  for (const share of shares) {
    const { minerId, upgraded, sealed, cache } = share;
    const [sealedFolder, cacheFolder] = foldersOf(upgraded);
    if (sealed.size > 0) folders.add(sealedFolder);
    if (cache.size > 0) folders.add(cacheFolder);
    const numbers = new SectorSet();
    numbers.addAll(sealed);
    numbers.addAll(cache);
    for (const [turn, number] of spread(numbers, numbers.size, FROM_SHARE).entries()) {
      const isCache = !sealed.has(number) || (turn % 2 === 1 && cache.has(number));
      const path = `${isCache ? cacheFolder : sealedFolder}/s-t0${minerId}-${number}`;
      paths[turn] = [...(paths[turn] ?? []), path];
    }
  }
  return { folders, paths: paths.flat(), knows: (path) => shares.some((share) => isIn(share, path)) };
}

function foldersOf(upgraded: boolean): readonly [StoreFolder, StoreFolder] {
  return upgraded ? ['update', 'update-cache'] : ['sealed', 'cache'];
}

function isIn({ minerId, upgraded, sealed, cache }: StoreShare, path: string): boolean {
  const [folder, name = ''] = path.split('/');
  const sector = parseSectorName(name);
  if (typeof sector === 'string' || sector.minerId !== minerId) return false;
  const [sealedFolder, cacheFolder] = foldersOf(upgraded);
  return (folder === sealedFolder && sealed.has(sector.number)) || (folder === cacheFolder && cache.has(sector.number));
}
