import { CodedError } from '../../errors/coded-error.ts';
import { scanStore } from '../scan/scan-store.ts';
import { foldersOf } from '../sector-files.ts';
import type { FoundSectors } from './found-sectors.ts';
import type { StoreShare } from './sector-index.ts';
import { SectorSet } from './sector-set.ts';

const parts = ['sealed', 'cache'] as const;
/** Share of what is indexed in a folder. */
const LEAST_LEFT = 0.5;

type Components = Parameters<typeof scanStore>[0];

/**
 * What the index says of a store and a scan that came to its end did not see. The store is listed a second time, so that what two
 * listings miss is gone.
 * @throws CodedError `store-not-itself` where less than half of what is indexed is there; those of `scanStore`
 */
export async function goneSectors(
  components: Components,
  init: {
    readonly name: string;
    readonly path: string;
    readonly indexed: readonly StoreShare[];
    readonly found: FoundSectors;
    readonly signal?: AbortSignal;
  },
): Promise<StoreShare[]> {
  const { name, path, indexed, found, signal } = init;
  refuseEmptied(name, indexed, found);
  if (missed(indexed, found).length === 0) return [];
  const known = found.present(name).map(({ minerId, upgraded, sealed, cache }) => ({
    minerId,
    upgraded,
    sectors: sealed.intersection(cache),
  }));
  for await (const { sectors } of scanStore(components, { path, known, ...(signal && { signal }) })) {
    for (const sector of sectors) found.addPresent(sector);
  }
  return missed(indexed, found);
}

function missed(indexed: readonly StoreShare[], found: FoundSectors): StoreShare[] {
  return indexed.flatMap((share) => {
    const present = presentOf(share, found);
    const sealed = share.sealed.subtract(present.sealed);
    const cache = share.cache.subtract(present.cache);
    return sealed.size === 0 && cache.size === 0 ? [] : [{ ...share, sealed, cache }];
  });
}

/** A folder that is another one now, or another store's, has none of them, or a few copies. */
function refuseEmptied(name: string, indexed: readonly StoreShare[], found: FoundSectors): void {
  for (const part of parts) {
    for (const upgraded of [false, true]) {
      const shares = indexed.filter((share) => share.upgraded === upgraded && share[part].size > 0);
      const had = shares.reduce((sum, share) => sum + share[part].size, 0);
      const has = shares.reduce((sum, share) => sum + share[part].intersection(presentOf(share, found)[part]).size, 0);
      if (has >= had * LEAST_LEFT) continue;
      const folder = foldersOf(upgraded)[part];
      throw new CodedError(
        'store-not-itself',
        `store ${name}: only ${has} of the ${had} sectors indexed in ${folder}/ are there; is the right store mounted? If they were removed: storage detach ${name}, then attach again`,
      );
    }
  }
}

function presentOf(share: StoreShare, found: FoundSectors): Pick<StoreShare, 'sealed' | 'cache'> {
  const nothing = { sealed: new SectorSet(), cache: new SectorSet() };
  return (
    found
      .present(share.store)
      .find(({ minerId, upgraded }) => minerId === share.minerId && upgraded === share.upgraded) ?? nothing
  );
}
