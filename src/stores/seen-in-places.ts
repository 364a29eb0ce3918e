import { bestCopy } from './best-copy.ts';
import type { Look } from './check-messages.ts';
import type { Known } from './indexed-places.ts';
import type { PersistStore } from './persist-store.ts';
import type { SeenSector } from './recent-looks.ts';
import type { SectorFiles } from './sector-files.ts';
import type { StorePlace } from './store-place.ts';

/** What the places said of one sector. */
interface Case {
  readonly files: SectorFiles;
  readonly known: Known | undefined;
  readonly found: readonly { readonly place: StorePlace; readonly store: PersistStore; readonly look: Look }[];
}

/** What each place showed, or lacks, of the sectors that were looked for in it. What is whole elsewhere was moved, and says nothing. */
export function seenInPlaces(cases: readonly Case[]): ReadonlyMap<StorePlace, readonly SeenSector[]> {
  const byPlace = new Map<StorePlace, SeenSector[]>();
  for (const one of cases) {
    const isWhole = bestCopy(one.files, one.found) !== undefined;
    for (const { place, look } of one.found) {
      const isGone = isGoneFrom(place, look, one);
      if (isGone === undefined || (isGone && isWhole)) continue;
      const seen = byPlace.get(place) ?? [];
      byPlace.set(place, seen);
      seen.push({ path: one.files[isOfSealed(place, look, one) ? 'sealed' : 'cache'].path, isGone });
    }
  }
  return byPlace;
}

/** The index may have a sealed file or a cache folder alone in a store. */
function isOfSealed(place: StorePlace, { sealed }: Look, one: Case): boolean {
  return copyIn(place, one)?.hasSealed ?? sealed.is === 'good';
}

function copyIn({ store }: StorePlace, { known }: Case): Known['copies'][number] | undefined {
  return known?.copies.find((copy) => copy.store === store.name);
}

/** Undefined where nothing can be said: it could not be looked at, or need not be there and is not. */
function isGoneFrom(place: StorePlace, { sealed, cache }: Look, one: Case): boolean | undefined {
  if (sealed.is === 'unknown' || cache.is === 'unknown') return undefined;
  const copy = copyIn(place, one);
  if (copy === undefined) return sealed.is === 'good' || cache.is === 'good' ? false : undefined;
  return (copy.hasSealed && sealed.is !== 'good') || (copy.hasCache && cache.is !== 'good');
}
