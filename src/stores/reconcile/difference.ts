import type { StoreShare } from '../index/sector-index.ts';
import { SectorSet } from '../index/sector-set.ts';
import { type LiveNumbers, wantedOf } from './live-sectors.ts';

/**
 * `missing`: the chain has the sector and the store had it; its file or its folder is not there any more, and no other store is known
 * to have it. `unexpected`: the store has files of it, and the chain no such sector, or the store is not for this miner.
 * `duplicate`: another store has it too. `wrong-size`: a file is there and cannot be right.
 */
export type DifferenceKind = 'missing' | 'unexpected' | 'duplicate' | 'wrong-size';

export interface Difference {
  readonly minerId: number;
  readonly number: number;
  readonly upgraded: boolean;
  readonly kind: DifferenceKind;
  readonly reason: string;
}

/** What a whole scan saw of a miner in a store. */
export interface Seen {
  readonly minerId: number;
  readonly upgraded: boolean;
  /** There, in whatever size. */
  readonly sealed: SectorSet;
  readonly cache: SectorSet;
  /** That could not be looked at: nothing is said of them. */
  readonly doubtful: SectorSet;
  /** Reasons by sector number. */
  readonly wrong: ReadonlyMap<number, string>;
}

export interface Facts {
  /** Sectors that the chain has, of each miner that is looked at. */
  readonly live: ReadonlyMap<number, LiveNumbers>;
  /** Of the miners, those that the store is not for. */
  readonly denied: ReadonlySet<number>;
  readonly seen: readonly Seen[];
  /** What the index knew of this store before. */
  readonly indexed: readonly StoreShare[];
  /** What the index knows of all other stores. */
  readonly elsewhere: readonly StoreShare[];
}

/** Everything in which chain, index and one store differ. Pure; one at a time, since there may be as many as sectors. */
export function* differences(facts: Facts): Generator<Difference> {
  for (const [minerId, live] of facts.live) {
    for (const upgraded of [false, true]) {
      const its = { minerId, upgraded };
      const seen = facts.seen.find((one) => one.minerId === minerId && one.upgraded === upgraded) ?? nothing(its);
      for (const { number, kind, reason } of ofMiner(facts, live, seen)) yield { ...its, number, kind, reason };
    }
  }
}

function* ofMiner(facts: Facts, live: LiveNumbers, seen: Seen): Generator<Omit<Difference, 'minerId' | 'upgraded'>> {
  const { minerId, upgraded } = seen;
  const present = SectorSet.union(seen.sealed, seen.cache);
  const unexpected = facts.denied.has(minerId) ? present : present.subtract(live.sectors);
  const reason = facts.denied.has(minerId) ? 'the store is not for this miner' : 'the chain has no such sector';
  for (const number of unexpected) yield { number, kind: 'unexpected', reason };
  const ofSector = (shares: readonly StoreShare[]) =>
    shares.filter((share) => share.minerId === minerId && share.upgraded === upgraded);
  // The old data of an upgraded sector may be removed, and the new data of one that is being upgraded be as it likes.
  const wanted = wantedOf(live, upgraded);
  for (const [number, why] of seen.wrong) if (wanted.has(number)) yield { number, kind: 'wrong-size', reason: why };
  for (const { store, sealed } of ofSector(facts.elsewhere)) {
    for (const number of seen.sealed.intersection(sealed))
      yield { number, kind: 'duplicate', reason: `also in ${store}` };
  }

  const lost = (part: 'sealed' | 'cache') => {
    const had = SectorSet.union(...ofSector(facts.indexed).map((share) => share[part]));
    const others = SectorSet.union(...ofSector(facts.elsewhere).map((share) => share[part]));
    return had.intersection(wanted).subtract(seen[part]).subtract(seen.doubtful).subtract(others);
  };
  const [sealed, cache] = [lost('sealed'), lost('cache')];
  for (const number of SectorSet.union(sealed, cache)) {
    const both = sealed.has(number) && cache.has(number);
    const what = both
      ? 'sealed file and cache folder are'
      : sealed.has(number)
        ? 'its sealed file is'
        : 'its cache folder is';
    yield { number, kind: 'missing', reason: `${what} not there any more` };
  }
}

/** Sectors that the chain has and no store is known to have. */
export function lostSectors(live: ReadonlyMap<number, LiveNumbers>, shares: readonly StoreShare[]): Difference[] {
  return [...live].flatMap(([minerId, numbers]) =>
    [false, true].flatMap((upgraded) => {
      const its = shares.filter((share) => share.minerId === minerId && share.upgraded === upgraded);
      const lost = wantedOf(numbers, upgraded).subtract(SectorSet.union(...its.map(({ sealed }) => sealed)));
      const reason = 'it is in no store that is configured';
      return [...lost].map((number) => ({ minerId, number, upgraded, kind: 'missing', reason }) as const);
    }),
  );
}

function nothing(its: Pick<Seen, 'minerId' | 'upgraded'>): Seen {
  return { ...its, sealed: new SectorSet(), cache: new SectorSet(), doubtful: new SectorSet(), wrong: new Map() };
}
