import { sql } from 'kysely';
import type { Database, Transaction } from '../../database/database.ts';
import { BLOCK_BYTES, type SectorSet } from './sector-set.ts';

interface Share {
  readonly store: string;
  readonly minerId: number;
  readonly upgraded: boolean;
  readonly sealed: SectorSet;
  readonly cache: SectorSet;
}

interface Row {
  readonly miner_id: number;
  readonly upgraded: 0 | 1;
  readonly store: string;
  readonly block: number;
  readonly sealed: Buffer;
  readonly cache: Buffer;
}

const ROWS_IN_TRANSACTION = 200;

/** Rows that have these bits already are not written. */
export async function addToBlocks(db: Database, share: Share): Promise<void> {
  for (const part of inParts(rowsOf(share))) {
    await db.transaction(async (trx) => {
      const none = part.map((row) => ({ ...row, sealed: Buffer.alloc(0), cache: Buffer.alloc(0) }));
      // A row that is not there cannot be locked. One that is has to be locked for writing at once: where several lock it for reading
      // first, as with IGNORE, none of them can write it.
      await trx
        .insertInto('store_sectors')
        .values(none)
        .onDuplicateKeyUpdate({ block: sql.ref('block') })
        .execute();
      await change(trx, part, (old, more) => old | more);
    });
  }
}

/** Rows in which nothing is left go. */
export async function removeFromBlocks(db: Database, share: Share): Promise<void> {
  for (const part of inParts(rowsOf(share))) {
    await db.transaction(async (trx) => {
      const changed = await change(trx, part, (old, less) => old & ~less);
      const empty = changed.filter(({ sealed, cache }) => isZero(sealed) && isZero(cache)).map(({ block }) => block);
      const [first] = part;
      if (empty.length === 0 || first === undefined) return;
      await trx.deleteFrom('store_sectors').where(ofShare(first)).where('block', 'in', empty).execute();
    });
  }
}

/** @param part rows of one share. Returns what was written. */
async function change(trx: Transaction, part: readonly Row[], by: (old: number, given: number) => number) {
  const [first] = part;
  if (first === undefined) return [];
  const old = await trx
    .selectFrom('store_sectors')
    .select(['block', 'sealed', 'cache'])
    .where(ofShare(first))
    .where(
      'block',
      'in',
      part.map(({ block }) => block),
    )
    .orderBy('block')
    .forUpdate()
    .execute();
  const given = new Map(part.map((row) => [row.block, row]));
  const changed = old.flatMap((row) => {
    const other = given.get(row.block);
    if (other === undefined) return [];
    const sealed = combine(row.sealed, other.sealed, by);
    const cache = combine(row.cache, other.cache, by);
    const isSame = sealed.equals(padded(row.sealed)) && cache.equals(padded(row.cache));
    return isSame ? [] : [{ ...other, sealed, cache }];
  });
  if (changed.length === 0) return [];
  await trx
    .insertInto('store_sectors')
    .values(changed)
    .onDuplicateKeyUpdate({ sealed: sql`VALUES(sealed)`, cache: sql`VALUES(cache)` })
    .execute();
  return changed;
}

function ofShare({ miner_id, upgraded, store }: Row) {
  return sql<boolean>`miner_id = ${miner_id} AND upgraded = ${upgraded} AND store = ${store}`;
}

function rowsOf({ store, minerId, upgraded, sealed, cache }: Share): Row[] {
  const sealedBlocks = new Map(sealed.blocks());
  const cacheBlocks = new Map(cache.blocks());
  return [...new Set([...sealedBlocks.keys(), ...cacheBlocks.keys()])]
    .sort((left, right) => left - right)
    .map((block) => ({
      miner_id: minerId,
      upgraded: upgraded ? 1 : 0,
      store,
      block,
      sealed: Buffer.from(sealedBlocks.get(block) ?? []),
      cache: Buffer.from(cacheBlocks.get(block) ?? []),
    }));
}

function combine(old: Buffer, given: Buffer, by: (old: number, given: number) => number): Buffer {
  return Buffer.from(padded(old).map((byte, index) => by(byte, given[index] ?? 0)));
}

function padded(bits: Buffer): Buffer {
  return bits.length === BLOCK_BYTES ? bits : Buffer.concat([bits], BLOCK_BYTES);
}

function isZero(bits: Buffer): boolean {
  return bits.every((byte) => byte === 0);
}

function* inParts(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += ROWS_IN_TRANSACTION) {
    yield rows.slice(start, start + ROWS_IN_TRANSACTION);
  }
}
