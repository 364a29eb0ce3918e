import { sql } from 'kysely';
import { type Database, databaseNow } from '../../database/database.ts';
import { CodedError } from '../../errors/coded-error.ts';
import type { PersistStore } from '../persist-store.ts';

/** Of a scan that came to its end. */
export interface ScanRecord {
  readonly tookMs: number;
  readonly sectors: number;
  readonly strange: number;
}

/** @throws CodedError `store-name-taken` where the name stands for another path */
export async function refuseOtherPath(
  db: Database,
  store: { readonly name: string; readonly path: string },
): Promise<void> {
  const row = await db.kysely.selectFrom('stores').select('path').where('name', '=', store.name).executeTakeFirst();
  if (row === undefined || row.path === store.path) return;
  throw new CodedError(
    'store-name-taken',
    `the store ${store.name} is attached as ${row.path}: give ${store.path} another --name, or run storage detach ${store.name} first`,
  );
}

export async function recordStore(
  db: Database,
  store: { readonly name: string; readonly path: string },
  scan: ScanRecord | undefined,
): Promise<void> {
  const { name, path } = store;
  const scanned = scan && {
    scanned_at: databaseNow,
    scan_ms: Math.round(scan.tookMs),
    sector_count: scan.sectors,
    strange_count: scan.strange,
  };
  await db.kysely
    .insertInto('stores')
    .values({ name, path, attached_at: databaseNow, ...scanned })
    .onDuplicateKeyUpdate({ path: sql`VALUES(path)`, ...scanned })
    .execute();
}

/** Those that are attached, as far as the index knows them. */
export async function attachedStores(db: Database): Promise<PersistStore[]> {
  const rows = await db.kysely.selectFrom('stores').select(['name', 'path']).execute();
  return rows.map(usualStore);
}

/** One of which nothing else is known. */
export function usualStore({ name, path }: Pick<PersistStore, 'name' | 'path'>): PersistStore {
  return { name, path, strict: false, readOnly: false, weight: 1, growing: false, allowMiners: [], denyMiners: [] };
}

/** Forgets the store, all it is known to hold, and that it was compared: what it has is known again only after the next time. Returns whether there was anything to forget. */
export async function forgetStore(db: Database, name: string): Promise<boolean> {
  const removed = await Promise.all([
    db.kysely.deleteFrom('store_sectors').where('store', '=', name).executeTakeFirst(),
    db.kysely.deleteFrom('store_findings').where('store', '=', name).executeTakeFirst(),
    db.kysely.deleteFrom('store_reconciliations').where('store', '=', name).executeTakeFirst(),
    db.kysely.deleteFrom('stores').where('name', '=', name).executeTakeFirst(),
  ]);
  return removed.some(({ numDeletedRows }) => numDeletedRows > 0n);
}
