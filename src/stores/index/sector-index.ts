import type { Database } from '../../database/database.ts';
import type { WantedSector } from '../sector-check.ts';
import { BLOCK_SECTORS, SectorSet } from './sector-set.ts';
import { addToBlocks, removeFromBlocks } from './write-blocks.ts';

/** What one store has of a sector. */
export interface Copy {
  readonly store: string;
  readonly hasSealed: boolean;
  readonly hasCache: boolean;
}

/** What a store holds of a miner. */
export interface StoreShare {
  readonly store: string;
  readonly minerId: number;
  readonly upgraded: boolean;
  readonly sealed: SectorSet;
  readonly cache: SectorSet;
}

/** A row is up to 1 KiB, and there is one for each store and block. */
const BLOCKS_IN_STATEMENT = 200;

/**
 * Which stores held which sectors when they were scanned: where to look first, never a proof that something is there or is not.
 * The 234,900 sectors of a large deadline are 1,160 rows on 20 stores, found in 0.2 s on a busy machine (0.5 s where they are spread
 * over 11 million numbers), so nothing is kept in memory and nothing can be stale.
 */
export class SectorIndex {
  readonly #db: Database;

  constructor({ db }: { readonly db: Database }) {
    this.#db = db;
  }

  /** Sectors that are in no store are absent. Copies in no particular order. */
  async locate(minerId: number, wanted: readonly WantedSector[]): Promise<Map<number, readonly Copy[]>> {
    const found = new Map<number, Copy[]>();
    for (const upgraded of [false, true]) {
      const numbers = wanted.filter((sector) => sector.upgraded === upgraded).map(({ number }) => number);
      const byBlock = grouped(numbers, (number) => Math.floor(number / BLOCK_SECTORS));
      const blocks = [...byBlock.keys()].sort((left, right) => left - right);
      for (let start = 0; start < blocks.length; start += BLOCKS_IN_STATEMENT) {
        const rows = await this.#db.kysely
          .selectFrom('store_sectors')
          .select(['block', 'store', 'sealed', 'cache'])
          .where('miner_id', '=', minerId)
          .where('upgraded', '=', upgraded ? 1 : 0)
          .where('block', 'in', blocks.slice(start, start + BLOCKS_IN_STATEMENT))
          .execute();
        for (const row of rows) collect(row, byBlock.get(row.block) ?? [], found);
      }
    }
    return found;
  }

  /** Everything of a store, a miner or both; an element for each store, miner and kind. */
  async shares(only: { readonly store?: string; readonly minerId?: number } = {}): Promise<StoreShare[]> {
    const stores = only.store === undefined ? await this.#stores() : [only.store];
    const shares: StoreShare[] = [];
    for (const store of stores) {
      let query = this.#db.kysely.selectFrom('store_sectors').selectAll().where('store', '=', store);
      if (only.minerId !== undefined) query = query.where('miner_id', '=', only.minerId);
      const rows = await query.execute();
      for (const part of grouped(rows, (row) => `${row.miner_id}/${row.upgraded}`).values()) {
        const [first] = part;
        if (first === undefined) continue;
        const share = {
          store,
          minerId: first.miner_id,
          upgraded: first.upgraded === 1,
          sealed: new SectorSet(),
          cache: new SectorSet(),
        };
        for (const row of part) {
          share.sealed.addBlock(row.block, row.sealed);
          share.cache.addBlock(row.block, row.cache);
        }
        shares.push(share);
      }
    }
    return shares;
  }

  /** Names of the stores of which a whole scan has ever come to its end. */
  async scannedStores(): Promise<ReadonlySet<string>> {
    const rows = await this.#db.kysely
      .selectFrom('stores')
      .select('name')
      .where('scanned_at', 'is not', null)
      .execute();
    return new Set(rows.map(({ name }) => name));
  }

  /** Adds to what is there; others may write the same store at the same time. */
  async add(shares: readonly StoreShare[]): Promise<void> {
    for (const share of shares) await addToBlocks(this.#db, share);
  }

  /** Takes out of what is there. */
  async remove(shares: readonly StoreShare[]): Promise<void> {
    for (const share of shares) await removeFromBlocks(this.#db, share);
  }

  async #stores(): Promise<string[]> {
    const rows = await this.#db.kysely
      .selectFrom('store_sectors')
      .select('store')
      .distinct()
      .orderBy('store')
      .execute();
    return rows.map(({ store }) => store);
  }
}

function grouped<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function collect(
  row: { readonly store: string; readonly sealed: Buffer; readonly cache: Buffer },
  numbers: readonly number[],
  found: Map<number, Copy[]>,
): void {
  const { store, sealed, cache } = row;
  // One object for all sectors of which this store has the same.
  const both = { store, hasSealed: true, hasCache: true };
  const onlySealed = { store, hasSealed: true, hasCache: false };
  const onlyCache = { store, hasSealed: false, hasCache: true };
  for (const number of numbers) {
    const at = number % BLOCK_SECTORS;
    const hasSealed = ((sealed[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
    const hasCache = ((cache[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
    if (!hasSealed && !hasCache) continue;
    const copy = hasSealed && hasCache ? both : hasSealed ? onlySealed : onlyCache;
    const copies = found.get(number);
    if (copies === undefined) found.set(number, [copy]);
    else copies.push(copy);
  }
}
