import type { Look } from './check-messages.ts';
import type { Known } from './indexed-places.ts';
import { isMuch } from './store-identity.ts';
import type { StorePlace } from './store-place.ts';

/** What the places said of one sector. */
interface Case {
  readonly known: Known | undefined;
  readonly found: readonly { readonly place: StorePlace; readonly look: Look }[];
}

/** So many may be missing in one check, however few were looked for: they may be asked for because they are. */
const FEW = 4;

/**
 * Why places cannot be trusted in what they lack: much of what the index knows there was not found, all at once. That is a part of a
 * store that is not mounted more often than a loss. What is whole elsewhere was moved.
 */
export function muchMissing<C extends Case>(
  cases: readonly C[],
  isComplete: (one: C) => boolean,
): ReadonlyMap<StorePlace, string> {
  const gone = countByPlace(cases, (look, copy, one) => isGone(look, copy) && !isComplete(one));
  const reasons = new Map<StorePlace, string>();
  if (gone.size === 0) return reasons;
  const there = countByPlace(cases, (look, copy) => !isGone(look, copy) && !isUnknown(look));
  for (const [place, count] of gone) {
    const of = count + (there.get(place) ?? 0);
    if (isMuch(count, of, FEW)) {
      reasons.set(place, `of ${of} sectors that it is known to hold ${count} are gone at once; is all of it mounted?`);
    }
  }
  return reasons;
}

type Copy = Known['copies'][number];

function countByPlace<C extends Case>(
  cases: readonly C[],
  counts: (look: Look, copy: Copy, one: C) => boolean,
): Map<StorePlace, number> {
  const byPlace = new Map<StorePlace, number>();
  for (const one of cases) {
    for (const { place, look } of one.found) {
      const copy = one.known?.copies.find(({ store }) => store === place.store.name);
      if (copy !== undefined && counts(look, copy, one)) byPlace.set(place, (byPlace.get(place) ?? 0) + 1);
    }
  }
  return byPlace;
}

function isGone({ sealed, cache }: Look, { hasSealed, hasCache }: Copy): boolean {
  return (hasSealed && sealed.is === 'missing') || (hasCache && cache.is === 'missing');
}

function isUnknown({ sealed, cache }: Look): boolean {
  return sealed.is === 'unknown' || cache.is === 'unknown';
}
