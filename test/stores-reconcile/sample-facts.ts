import fc from 'fast-check';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import type { Facts, Seen } from '../../src/stores/reconcile/difference.ts';

export const MINER = 1000;
export const numbers = fc.uniqueArray(fc.nat(20)).map((list) => SectorSet.of(list));
export const empty = new SectorSet();

export function liveOf(sectors: SectorSet, upgraded = empty) {
  return new Map([[MINER, { sectors, upgraded }]]);
}

export function seenOf(init: Partial<Seen> = {}): Seen {
  return { minerId: MINER, upgraded: false, sealed: empty, cache: empty, doubtful: empty, wrong: new Map(), ...init };
}

export function share(store: string, sealed: SectorSet, cache = sealed, upgraded = false) {
  return { store, minerId: MINER, upgraded, sealed, cache };
}

export function factsOf(init: Partial<Facts>): Facts {
  return { live: liveOf(empty), denied: new Set(), seen: [], indexed: [], elsewhere: [], ...init };
}
