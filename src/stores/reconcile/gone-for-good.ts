import type { StoreShare } from '../index/sector-index.ts';
import type { SectorSet } from '../index/sector-set.ts';
import type { Facts } from './difference.ts';
import { wantedOf } from './live-sectors.ts';

/**
 * What would be missed of what the index has in a store, were it gone: the chain wants these files, and the index has them in no other
 * store. By these alone a store is known from which much was removed, moved away or upgraded.
 */
export function missedIfGone({ live, indexed, elsewhere }: Omit<Facts, 'seen' | 'denied'>): StoreShare[] {
  return indexed.flatMap((share) => {
    const numbers = live.get(share.minerId);
    if (numbers === undefined) return [share];
    const wanted = wantedOf(numbers, share.upgraded);
    const others = elsewhere.filter(
      ({ minerId, upgraded }) => minerId === share.minerId && upgraded === share.upgraded,
    );
    const only = (part: 'sealed' | 'cache') =>
      others.reduce((left, other) => left.subtract(other[part]), share[part].intersection(wanted));
    const [sealed, cache] = [only('sealed'), only('cache')];
    return sealed.size + cache.size === 0 ? [] : [{ ...share, sealed, cache }];
  });
}

/** What the index has of a store, is not there any more, and is not missed. Left in the index it would speak against the store. */
export function goneForGood(facts: Facts): StoreShare[] {
  const { seen, indexed } = facts;
  const missed = missedIfGone(facts);
  return indexed.flatMap((share) => {
    const isSame = (one: Pick<StoreShare, 'minerId' | 'upgraded'>) =>
      one.minerId === share.minerId && one.upgraded === share.upgraded;
    const there = seen.find(isSame);
    const kept = missed.find(isSame);
    const gone = (part: 'sealed' | 'cache') =>
      [there?.[part], there?.doubtful, kept?.[part]].reduce<SectorSet>(
        (left, other) => (other === undefined ? left : left.subtract(other)),
        share[part],
      );
    const [sealed, cache] = [gone('sealed'), gone('cache')];
    return sealed.size + cache.size === 0 ? [] : [{ ...share, sealed, cache }];
  });
}
