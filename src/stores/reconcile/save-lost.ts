import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import type { SectorIndex } from '../index/sector-index.ts';
import type { StoreChecker } from '../store-checker.ts';
import { type Difference, lostSectors } from './difference.ts';
import type { Live } from './live-sectors.ts';
import { ALL_STORES, saveDifferences } from './save-differences.ts';

interface Components {
  readonly clock: Clock;
  readonly db: Database;
  readonly index: SectorIndex;
  readonly checker: Pick<StoreChecker, 'stores' | 'check'>;
}

/** Looked for in all stores at a time. */
const SECTORS_AT_ONCE = 256;

/**
 * Sectors that are nowhere: in no store that was compared, and looked for once more, since stores grow. Nothing can be said while any
 * store was not compared in its whole.
 */
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
  const now = clock.now();
  const lost: Difference[] = [];
  const candidates = lostSectors(live, known);
  for (let from = 0; from < candidates.length; from += SECTORS_AT_ONCE) {
    lost.push(...(await stillLost(checker, live, candidates.slice(from, from + SECTORS_AT_ONCE))));
  }
  await saveDifferences(db, {
    store: ALL_STORES,
    miners: [...live.keys()],
    seenAt: now,
    endedAt: now,
    sectors: 0,
    differences: lost,
  });
}

/** Those whose files are in no store; what cannot be told is not said. */
async function stillLost(
  checker: Pick<StoreChecker, 'check'>,
  live: ReadonlyMap<number, Live>,
  candidates: readonly Difference[],
): Promise<readonly Difference[]> {
  const lost: Difference[] = [];
  for (const [minerId, { sectorSize }] of live) {
    const its = candidates.filter((candidate) => candidate.minerId === minerId);
    const checks = await checker.check({ minerId, sectorSize, sectors: its });
    lost.push(...its.filter((_, index) => checks[index]?.verdict === 'bad'));
  }
  return lost;
}
