import type { StoreShare } from '../index/sector-index.ts';
import { SectorSet } from '../index/sector-set.ts';
import type { Facts } from './difference.ts';

/**
 * What the index has of a store and nobody misses: it is not there any more, and the chain has no such sector, or one whose data was
 * replaced by an upgrade. Left in the index it would speak against the store, which is known by what should be there.
 */
export function goneForGood({ live, seen, indexed, elsewhere }: Facts): StoreShare[] {
  return indexed.flatMap((share) => {
    const { minerId, upgraded } = share;
    const wanted = live.get(minerId);
    if (wanted === undefined) return [];
    const isOfMiner = (one: StoreShare) => one.minerId === minerId && one.upgraded;
    const replaced = upgraded ? [] : [...indexed, ...elsewhere].filter(isOfMiner).map(({ sealed }) => sealed);
    const missed = replaced.reduce((left, sectors) => left.subtract(sectors), wanted);
    const there = seen.find((one) => one.minerId === minerId && one.upgraded === upgraded);
    const gone = (part: 'sealed' | 'cache') =>
      share[part]
        .subtract(there?.[part] ?? new SectorSet())
        .subtract(there?.doubtful ?? new SectorSet())
        .subtract(missed);
    const [sealed, cache] = [gone('sealed'), gone('cache')];
    return sealed.size + cache.size === 0 ? [] : [{ ...share, sealed, cache }];
  });
}
