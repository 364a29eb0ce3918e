import type { ScannedSector } from '../scan/scanned-sector.ts';
import type { StoreShare } from './sector-index.ts';
import { SectorSet } from './sector-set.ts';

/** Why a sector is in the index, or is not. */
export const verdicts = [
  'ok',
  'sizeWrong',
  'cacheFileMissing',
  'sealedFileMissing',
  'unreadable',
  'otherMiner',
] as const;
export type Verdict = (typeof verdicts)[number];

interface Parts {
  readonly sealed: SectorSet;
  readonly cache: SectorSet;
}

interface Kind {
  readonly minerId: number;
  readonly upgraded: boolean;
  /** What can be used, by sector size. */
  readonly usable: Map<number, Parts>;
  /** What is there in whatever state. */
  readonly present: Parts;
}

export interface FoundInit {
  readonly isOurs: (minerId: number) => boolean;
  /** Sealed file and cache folder may lie in different stores. */
  readonly allowSplit: boolean;
  readonly onLeftOut: (
    sector: { readonly minerId: number; readonly number: number },
    verdict: Verdict,
    reason: string,
  ) => void;
}

/** What a scan found of a store, as sets: a million sectors take less than a megabyte. */
export class FoundSectors {
  readonly #init: FoundInit;
  readonly #kinds = new Map<string, Kind>();
  readonly counts: Record<Verdict, number> = {
    ok: 0,
    sizeWrong: 0,
    cacheFileMissing: 0,
    sealedFileMissing: 0,
    unreadable: 0,
    otherMiner: 0,
  };

  constructor(init: FoundInit) {
    this.#init = init;
  }

  add(sector: ScannedSector): void {
    const { minerId, number, sectorSize, sealed, cache } = sector;
    const kind = this.addPresent(sector);
    const verdict = this.#verdict(sector);
    this.counts[verdict]++;
    if (verdict !== 'ok') {
      const reason = verdict === 'otherMiner' ? 'its miner has no sectors here' : sealed.reason || cache.reason;
      this.#init.onLeftOut({ minerId, number }, verdict, reason);
      return;
    }
    const size = sectorSize ?? 0;
    let parts = kind.usable.get(size);
    if (parts === undefined) {
      parts = { sealed: new SectorSet(), cache: new SectorSet() };
      kind.usable.set(size, parts);
    }
    if (sealed.is === 'good') parts.sealed.add(number);
    if (cache.is === 'good') parts.cache.add(number);
  }

  /** That something is there, and no more. */
  addPresent(sector: ScannedSector): Kind {
    const kind = this.#kind(sector);
    if (sector.sealed.is !== 'missing') kind.present.sealed.add(sector.number);
    if (sector.cache.is !== 'missing') kind.present.cache.add(sector.number);
    return kind;
  }

  /** A miner has one sector size: what has another than most is left out from here on. Sizes by miner. */
  settleSizes(): Map<number, number> {
    const chosen = new Map<number, { readonly size: number; readonly count: number }>();
    for (const [minerId, sizes] of this.#sizes()) {
      for (const [size, count] of sizes) {
        if (count > (chosen.get(minerId)?.count ?? 0)) chosen.set(minerId, { size, count });
      }
    }
    for (const { minerId, usable } of this.#kinds.values()) {
      for (const [size, parts] of usable) {
        const right = chosen.get(minerId)?.size;
        if (size === right) continue;
        usable.delete(size);
        for (const number of both(parts)) {
          this.counts.ok--;
          this.counts.sizeWrong++;
          const reason = `has ${size} bytes, and most sectors of its miner have ${right}`;
          this.#init.onLeftOut({ minerId, number }, 'sizeWrong', reason);
        }
      }
    }
    return new Map([...chosen].map(([minerId, { size }]) => [minerId, size]));
  }

  usable(store: string): StoreShare[] {
    return [...this.#kinds.values()].flatMap(({ minerId, upgraded, usable }) =>
      [...usable.values()].map((parts) => ({ store, minerId, upgraded, ...parts })),
    );
  }

  present(store: string): StoreShare[] {
    return [...this.#kinds.values()].map(({ minerId, upgraded, present }) => ({
      store,
      minerId,
      upgraded,
      ...present,
    }));
  }

  #verdict({ minerId, sealed, cache }: ScannedSector): Verdict {
    if (!this.#init.isOurs(minerId)) return 'otherMiner';
    if (sealed.is === 'unknown' || cache.is === 'unknown') return 'unreadable';
    if (sealed.is === 'wrong' || cache.is === 'wrong') return 'sizeWrong';
    if (sealed.is === 'missing' && (cache.is === 'missing' || !this.#init.allowSplit)) return 'sealedFileMissing';
    if (cache.is === 'missing' && !this.#init.allowSplit) return 'cacheFileMissing';
    return 'ok';
  }

  #sizes(): Map<number, Map<number, number>> {
    const byMiner = new Map<number, Map<number, number>>();
    for (const { minerId, usable } of this.#kinds.values()) {
      const sizes = byMiner.get(minerId) ?? new Map<number, number>();
      byMiner.set(minerId, sizes);
      for (const [size, parts] of usable) sizes.set(size, (sizes.get(size) ?? 0) + both(parts).size);
    }
    return byMiner;
  }

  #kind({ minerId, upgraded }: ScannedSector): Kind {
    const key = `${minerId}/${upgraded}`;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      const present = { sealed: new SectorSet(), cache: new SectorSet() };
      kind = { minerId, upgraded, usable: new Map(), present };
      this.#kinds.set(key, kind);
    }
    return kind;
  }
}

function both({ sealed, cache }: Parts): SectorSet {
  return SectorSet.union(sealed, cache);
}
