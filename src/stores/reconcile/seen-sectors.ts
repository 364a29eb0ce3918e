import { SectorSet } from '../index/sector-set.ts';
import type { ScannedSector } from '../scan/scanned-sector.ts';
import type { Seen } from './difference.ts';

interface Collected extends Seen {
  readonly wrong: Map<number, string>;
  /** Parts that are as they should be. */
  readonly good: { readonly sealed: SectorSet; readonly cache: SectorSet };
}

/** What a scan sees, kept as sets. Sectors of other miners are passed over: the chain was not asked about them. */
export class SeenSectors {
  readonly #live: ReadonlyMap<number, { readonly sectorSize: number }>;
  readonly #all = new Map<string, Collected>();
  #count = 0;

  constructor(live: ReadonlyMap<number, { readonly sectorSize: number }>) {
    this.#live = live;
  }

  get all(): readonly Seen[] {
    return [...this.#all.values()];
  }

  /** What may be added to the index. */
  get complete(): readonly {
    readonly minerId: number;
    readonly upgraded: boolean;
    readonly sealed: SectorSet;
    readonly cache: SectorSet;
  }[] {
    return [...this.#all.values()].map(({ minerId, upgraded, good }) => ({ minerId, upgraded, ...good }));
  }

  get count(): number {
    return this.#count;
  }

  add({ minerId, number, upgraded, sectorSize, sealed, cache, isCacheCut = false }: ScannedSector): void {
    const miner = this.#live.get(minerId);
    if (miner === undefined) return;
    this.#count++;
    const seen = this.#of(minerId, upgraded);
    const isOfOtherSize = sectorSize !== undefined && sectorSize !== miner.sectorSize;
    if (isOfOtherSize) {
      seen.wrong.set(
        number,
        `its files are those of a sector of ${sectorSize} bytes, and the miner's have ${miner.sectorSize}`,
      );
    }
    for (const [part, finding] of [
      ['sealed', sealed],
      ['cache', isCacheCut ? { ...cache, is: 'wrong' } : cache],
    ] as const) {
      if (finding.is === 'unknown') seen.doubtful.add(number);
      if (finding.is === 'wrong' && !isOfOtherSize) seen.wrong.set(number, finding.reason);
      if (finding.is === 'good' || finding.is === 'wrong') seen[part].add(number);
      if (finding.is === 'good' && !isOfOtherSize) seen.good[part].add(number);
    }
  }

  #of(minerId: number, upgraded: boolean): Collected {
    const key = `${minerId} ${upgraded}`;
    const seen = this.#all.get(key) ?? {
      minerId,
      upgraded,
      sealed: new SectorSet(),
      cache: new SectorSet(),
      doubtful: new SectorSet(),
      wrong: new Map<number, string>(),
      good: { sealed: new SectorSet(), cache: new SectorSet() },
    };
    this.#all.set(key, seen);
    return seen;
  }
}
