import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import type { SectorIndex } from '../index/sector-index.ts';
import type { StoreChecker } from '../store-checker.ts';
import { lostSectors } from './difference.ts';
import type { Live } from './live-sectors.ts';
import { ALL_STORES, saveDifferences } from './save-differences.ts';

interface Components {
  readonly clock: Clock;
  readonly db: Database;
  readonly index: SectorIndex;
  readonly checker: Pick<StoreChecker, 'stores'>;
}

/** Sectors that are nowhere. Nothing can be said while any store was not compared in its whole. */
export async function saveLost(
  { clock, db, index, checker }: Components,
  live: ReadonlyMap<number, Live>,
): Promise<void> {
  const rows = await db.kysely.selectFrom('store_reconciliations').selectAll().execute();
  const isWhole = checker.stores.every(({ name }) =>
    rows.some((row) => row.store === name && row.ended_at !== null && row.trouble === null),
  );
  if (!isWhole) return;
  const shares = (await Promise.all([...live.keys()].map((minerId) => index.shares({ minerId })))).flat();
  const known = shares.filter(({ store }) => checker.stores.some(({ name }) => name === store));
  const sectors = new Map([...live].map(([minerId, one]) => [minerId, one.sectors]));
  const now = clock.now();
  await saveDifferences(db, {
    store: ALL_STORES,
    miners: [...live.keys()],
    seenAt: now,
    endedAt: now,
    sectors: 0,
    differences: lostSectors(sectors, known),
  });
}
