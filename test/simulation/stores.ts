import type { SectorCheck, SectorCopy } from '../../src/stores/sector-check.ts';
import type { Random } from '../chaos/random.ts';
import { numberOf } from './sectors.ts';
import { drawLength } from './weather.ts';

const STORES = 8;

/** The folder of a sector's copies; they are tried in this order. */
const copies = ['first', 'second'] as const;
export type CopyName = (typeof copies)[number];

/** What all epochs have in common of a partition's copies: sectors whose copies are corrupt, and those that have a second one. */
interface Copies {
  readonly second: number;
  readonly corrupt: Readonly<Record<CopyName, { readonly bits: number; readonly from: number }>>;
}

/**
 * Which sectors can be read when. Sectors of a partition lie on its stores in turn, second copies on the store half a round further;
 * sets of sectors are bits of one partition.
 */
export class Stores {
  /** By epoch: a bit for each store that does not answer. */
  readonly #away: Uint8Array;
  /** By partition: sectors whose files are gone from one epoch to another, while their store is there. */
  readonly #gone: readonly { readonly bits: number; readonly from: number; readonly to: number }[][];
  readonly #copies: readonly Copies[];
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
    this.#copies = Array.from({ length: init.partitions }, () => {
      const all = 2 ** init.sectors - 1;
      const some = () => (random.chance(0.7) ? 1 << random.between(0, init.sectors - 1) : random.between(1, all));
      const drawn = (share: number) =>
        random.chance(density / share) ? { bits: some(), from: random.between(0, epochs - 1) } : { bits: 0, from: 0 };
      const second = density > 0 && random.chance(0.5) ? (random.chance(0.5) ? all : random.between(0, all)) : 0;
      return { second, corrupt: { first: drawn(12), second: drawn(24) } };
    });
  }

  /** Sectors with a copy that is away, and none that can be read. */
  unknown(partition: number, epoch: number): number {
    const away = this.awayOf(partition, 'first', epoch) | this.awayOf(partition, 'second', epoch);
    return away === 0 ? 0 : away & ~this.#readable(partition, epoch);
  }

  /** Sectors whose copies are all there, and none of which can be read: their files are gone, or corrupt. */
  bad(partition: number, epoch: number): number {
    return this.unreadable(partition, epoch) & ~this.unknown(partition, epoch);
  }

  unreadable(partition: number, epoch: number): number {
    return (2 ** this.#sectors - 1) & ~this.#readable(partition, epoch);
  }

  check(
    partition: number,
    sector: number,
    epoch: number,
    corrupt: readonly Pick<SectorCopy, 'number' | 'sealedFile'>[] = [],
  ): SectorCheck {
    const bit = 1 << sector;
    const number = numberOf(partition, sector);
    const files = (name: CopyName) => ({ store: name, sealedFile: name, cacheDir: name });
    const held = copies.filter((name) => this.#held(partition, name) & bit);
    const there = held.filter((name) => (this.awayOf(partition, name, epoch) & bit) === 0);
    const found = (this.goneOf(partition, epoch) & bit) === 0 ? there : [];
    const isTried = (name: CopyName) => corrupt.some((copy) => copy.number === number && copy.sealedFile === name);
    const untried = found.find((name) => !isTried(name));
    if (untried !== undefined) return { number, verdict: 'good', ...files(untried) };
    const doubt = there.length < held.length ? 'a store is away' : undefined;
    const [tried] = found;
    if (tried !== undefined) {
      const reason = 'its copies are corrupt';
      return { number, verdict: 'corrupt', ...files(tried), reason, ...(doubt !== undefined && { doubt }) };
    }
    if (doubt !== undefined) return { number, verdict: 'unknown', reason: doubt };
    return { number, verdict: 'bad', reason: 'its file is gone' };
  }

  /** Sectors of which a copy gives no answer. */
  awayOf(partition: number, name: CopyName, epoch: number): number {
    const away = this.#away[epoch] ?? 0;
    if (away === 0) return 0;
    const shift = name === 'first' ? 0 : STORES / 2;
    let bits = 0;
    for (let sector = 0; sector < this.#sectors; sector++)
      if (away & (1 << ((sector + shift) % STORES))) bits |= 1 << sector;
    return bits & this.#held(partition, name);
  }

  /** Sectors of which a copy that is there gives no proof. */
  badOf(partition: number, name: CopyName, epoch: number): number {
    const { bits = 0, from = 0 } = this.#copies[partition]?.corrupt[name] ?? {};
    const corrupt = epoch >= from ? bits : 0;
    const bad = (corrupt | this.goneOf(partition, epoch)) & this.#held(partition, name);
    return bad & ~this.awayOf(partition, name, epoch);
  }

  /** Sectors whose files are gone, in all stores. */
  goneOf(partition: number, epoch: number): number {
    let bits = 0;
    for (const gone of this.#gone[partition] ?? []) if (epoch >= gone.from && epoch < gone.to) bits |= gone.bits;
    return bits;
  }

  /** How many copies of a sector can have to be read in vain before a good one is. */
  triesInVain(partition: number): number {
    const { second = 0, corrupt } = this.#copies[partition] ?? {};
    if (corrupt === undefined || corrupt.first.bits === 0) return 0;
    return (corrupt.second.bits & second) === 0 ? 1 : 2;
  }

  #held(partition: number, name: CopyName): number {
    return name === 'first' ? 2 ** this.#sectors - 1 : (this.#copies[partition]?.second ?? 0);
  }

  #readable(partition: number, epoch: number): number {
    let bits = 0;
    for (const name of copies) {
      const not = this.awayOf(partition, name, epoch) | this.badOf(partition, name, epoch);
      bits |= this.#held(partition, name) & ~not;
    }
    return bits;
  }
}
