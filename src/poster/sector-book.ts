import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import type { Address } from '../filecoin/address.ts';
import type { RunPartition } from './run.ts';
import type { SectorInfos } from './window-proof.ts';

/** Reads at once; 2,349 sectors are about 1.3 MB of JSON, and a node's answer is at most 100 MiB. */
const LANES = 4;

/**
 * What the chain says of a run's sectors, read partition by partition when it is wanted. Sectors do not change from 60 epochs
 * before Open until Close, so it is kept until it is forgotten.
 */
export class SectorBook {
  readonly #chain: Chain;
  readonly #miner: Address;
  readonly #pages = new Map<number, Promise<SectorInfos>>();
  readonly #lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());

  constructor(components: { readonly chain: Chain }, init: { readonly miner: Address }) {
    this.#chain = components.chain;
    this.#miner = init.miner;
  }

  async read(partitions: readonly RunPartition[], head: TipSet): Promise<SectorInfos> {
    const pages = await Promise.all(partitions.map((partition) => this.#page(partition, head)));
    const [only] = pages;
    return only !== undefined && pages.length === 1 ? only : new Map(pages.flatMap((page) => [...page]));
  }

  /** Frees the memory of a partition that is not worked on now. */
  forget(partition: number): void {
    this.#pages.delete(partition);
  }

  #page(partition: RunPartition, head: TipSet): Promise<SectorInfos> {
    const { index } = partition;
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    const lane = index % LANES;
    const page = (this.#lanes[lane] ?? Promise.resolve()).then(async () => {
      const sectors = await this.#chain.sectors(this.#miner, partition.sectors, head.key);
      return new Map(sectors.map((sector) => [sector.number, sector]));
    });
    this.#pages.set(index, page);
    this.#lanes[lane] = page.catch(() => this.#pages.delete(index));
    return page;
  }
}
