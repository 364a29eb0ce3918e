import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { Difference, DifferenceKind } from './difference.ts';

/** Rows of about 100 bytes. */
const ROWS_IN_STATEMENT = 500;

/** Stands in `store_findings` for a sector that is in no store. */
export const ALL_STORES = '';

interface NewDifferences {
  readonly store: string;
  /** Findings about others stay as they are. */
  readonly miners: readonly number[];
  /** Milliseconds since 1970. */
  readonly seenAt: number;
  readonly endedAt: number;
  readonly sectors: number;
  readonly differences: Iterable<Difference> | AsyncIterable<Difference>;
}

export async function beginReconciliation(db: Database, store: string, beganAt: number): Promise<void> {
  await db.kysely
    .insertInto('store_reconciliations')
    .values({ store, began_at: beganAt, ended_at: null, trouble: null })
    .onDuplicateKeyUpdate({ began_at: beganAt })
    .execute();
}

export async function failReconciliation(db: Database, store: string, trouble: string): Promise<void> {
  await db.kysely.updateTable('store_reconciliations').set({ trouble }).where('store', '=', store).execute();
}

/** Replaces what was found of these miners in the store; what lasts keeps its `since`. @returns how many of each kind */
export async function saveDifferences(db: Database, found: NewDifferences): Promise<Record<DifferenceKind, number>> {
  const { store, miners, seenAt, endedAt, sectors } = found;
  const counts = { missing: 0, unexpected: 0, duplicate: 0, 'wrong-size': 0 };
  let rows: Difference[] = [];
  for await (const difference of found.differences) {
    counts[difference.kind]++;
    rows.push(difference);
    if (rows.length < ROWS_IN_STATEMENT) continue;
    await upsert(db, found, rows);
    rows = [];
  }
  await upsert(db, found, rows);
  if (miners.length > 0) {
    await db.kysely
      .deleteFrom('store_findings')
      .where('store', '=', store)
      .where('miner_id', 'in', miners)
      .where('seen_at', '<', seenAt)
      .execute();
  }
  if (store === ALL_STORES) return counts;
  // Of other miners, too.
  const findings = db.kysely
    .selectFrom('store_findings')
    .select(({ fn }) => fn.countAll<number>().as('findings'))
    .where('store', '=', store);
  await db.kysely
    .updateTable('store_reconciliations')
    .set({ ended_at: endedAt, sectors, findings, trouble: null })
    .where('store', '=', store)
    .execute();
  return counts;
}

async function upsert(db: Database, { store, seenAt }: NewDifferences, rows: readonly Difference[]): Promise<void> {
  if (rows.length === 0) return;
  await db.kysely
    .insertInto('store_findings')
    .values(
      rows.map(({ minerId, number, upgraded, kind, reason }) => ({
        store,
        miner_id: minerId,
        sector_number: number,
        upgraded: upgraded ? 1 : 0,
        kind,
        reason,
        since: seenAt,
        seen_at: seenAt,
      })),
    )
    .onDuplicateKeyUpdate({ reason: sql`VALUES(reason)`, seen_at: seenAt })
    .execute();
}
