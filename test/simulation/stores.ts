import type { SectorCheck } from '../../src/stores/sector-check.ts';
import type { Random } from '../chaos/random.ts';
import { numberOf } from './sectors.ts';
import { drawLength } from './weather.ts';

const STORES = 8;

/** Which sectors can be read when. Sectors of a partition lie on its stores in turn; sets of sectors are bits of one partition. */
export class Stores {
  /** By epoch: a bit for each store that does not answer. */
  readonly #away: Uint8Array;
  /** By partition: sectors whose files are gone from one epoch to another, while their store is there. */
  readonly #gone: readonly { readonly bits: number; readonly from: number; readonly to: number }[][];
  readonly #sectors: number;

  constructor(
    random: Random,
    init: { readonly epochs: number; readonly density: number; readonly partitions: number; readonly sectors: number },
  ) {
    const { epochs, density } = init;
    this.#sectors = init.sectors;
    this.#away = new Uint8Array(epochs);
    for (let count = Math.round((epochs / 200) * density); count > 0; count--) {
      const bits = random.chance(0.5) ? 2 ** STORES - 1 : 1 << random.between(0, STORES - 1);
      const from = random.between(0, epochs - 1);
      const to = Math.min(from + drawLength(random), epochs);
      for (let epoch = from; epoch < to; epoch++) this.#away[epoch] = (this.#away[epoch] ?? 0) | bits;
    }
    this.#gone = Array.from({ length: init.partitions }, () =>
      Array.from({ length: random.chance(density / 4) ? random.between(1, 2) : 0 }, () => {
        const from = random.between(0, epochs - 1);
        // One sector, or as many as luck gives.
        const bits = random.chance(0.7)
          ? 1 << random.between(0, init.sectors - 1)
          : random.between(1, 2 ** init.sectors - 1);
        return { bits, from, to: random.chance(0.3) ? epochs : from + 3 * drawLength(random) };
      }),
    );
  }

  /** Sectors that no answer can be had of. */
  unknown(_partition: number, epoch: number): number {
    const away = this.#away[epoch] ?? 0;
    if (away === 0) return 0;
    let bits = 0;
    for (let sector = 0; sector < this.#sectors; sector++) if (away & (1 << (sector % STORES))) bits |= 1 << sector;
    return bits;
  }

  /** Sectors whose files are gone for certain. */
  bad(partition: number, epoch: number): number {
    let bits = 0;
    for (const gone of this.#gone[partition] ?? []) if (epoch >= gone.from && epoch < gone.to) bits |= gone.bits;
    return bits & ~this.unknown(partition, epoch);
  }

  unreadable(partition: number, epoch: number): number {
    return this.unknown(partition, epoch) | this.bad(partition, epoch);
  }

  check(partition: number, sector: number, epoch: number): SectorCheck {
    const bit = 1 << sector;
    const number = numberOf(partition, sector);
    if (this.unknown(partition, epoch) & bit) return { number, verdict: 'unknown', reason: 'its store is away' };
    if (this.bad(partition, epoch) & bit) return { number, verdict: 'bad', reason: 'its file is gone' };
    return { number, verdict: 'good', store: 'a', sealedFile: 's', cacheDir: 'c' };
  }
}
