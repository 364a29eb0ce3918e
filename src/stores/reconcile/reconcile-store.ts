import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import { errorText } from '../../errors/coded-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SectorIndex } from '../index/sector-index.ts';
import { type PersistStore, storeAllows } from '../persist-store.ts';
import { scanStore } from '../scan/scan-store.ts';
import { mustBeItself, type StoreChecker } from '../store-checker.ts';
import { type DifferenceKind, differences, type Facts } from './difference.ts';
import { goneForGood, missedIfGone } from './gone-for-good.ts';
import type { Live } from './live-sectors.ts';
import { realDuplicates } from './real-duplicates.ts';
import { beginReconciliation, failReconciliation, saveDifferences } from './save-differences.ts';
import { SeenSectors } from './seen-sectors.ts';

export interface ReconcileComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly index: SectorIndex;
  readonly checker: Pick<StoreChecker, 'trouble' | 'check'>;
}

export interface ReconcileInit {
  readonly store: PersistStore;
  /** Names of all stores that are configured: what the index knows of others does not count. */
  readonly stores: readonly string[];
  /** By miner. */
  readonly live: ReadonlyMap<number, Live>;
  /** None: as fast as it goes. */
  readonly sectorsPerSecond?: number;
  /** Resolves when the store may be read on. */
  readonly mayGoOn?: () => Promise<void>;
  readonly onProgress?: (progress: {
    readonly listed: number;
    readonly looked: number;
    readonly isListed: boolean;
  }) => void;
  readonly signal?: AbortSignal;
}

export interface Reconciled {
  /** Sectors of these miners that were seen. */
  readonly sectors: number;
  readonly findings: Readonly<Record<DifferenceKind, number>>;
}

/**
 * Compares what the chain has, what the index knows and what lies in a store, and keeps the differences in `store_findings`. What was
 * found complete is added to the index; taken out of it is only what nobody misses. A store that fails, hangs, or is not itself before and
 * after gives no finding at all, and those of the last time stay.
 * @throws CodedError `store-not-itself`, and those of `scanStore`
 */
export async function reconcileStore(components: ReconcileComponents, init: ReconcileInit): Promise<Reconciled> {
  const { clock, db, checker, index } = components;
  const { store, live, sectorsPerSecond, signal } = init;
  const pace = async (count: number) => {
    if (sectorsPerSecond !== undefined) await clock.sleep((count / sectorsPerSecond) * 1_000, signal);
    await init.mayGoOn?.();
  };
  const beganAt = clock.now();
  await beginReconciliation(db, store.name, beganAt);
  try {
    const seen = await scan(components, init);
    const facts = await gather(components, init, seen);
    await index.remove(goneForGood(facts));
    // From now on it is known by what is left.
    await checker.trouble(store.name);
    const findings = await saveDifferences(db, {
      store: store.name,
      miners: [...live.keys()],
      seenAt: beganAt,
      endedAt: clock.now(),
      sectors: seen.count,
      differences: realDuplicates(checker, { store, live, pace }, differences(facts)),
    });
    return { sectors: seen.count, findings };
  } catch (error) {
    if (signal?.aborted !== true) await failReconciliation(db, store.name, errorText(error));
    throw error;
  }
}

/** All of the store, or an error. */
async function scan(components: ReconcileComponents, init: ReconcileInit): Promise<SeenSectors> {
  const { store, live, signal, sectorsPerSecond, onProgress, mayGoOn } = init;
  const missed = missedIfGone({ ...(await indexedShares(components.index, init)), live });
  // What is gone and not missed does not speak against the store here: it is about to be taken out of the index.
  const mustBeIt = () => mustBeItself(components.checker, store.name, missed.length === 0 ? undefined : missed);
  await mustBeIt();
  const seen = new SeenSectors(live);
  const batches = scanStore(components, {
    path: store.path,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
    ...(sectorsPerSecond !== undefined && { sectorsPerSecond }),
  });
  for await (const { sectors } of batches) {
    for (const sector of sectors) seen.add(sector);
    await mayGoOn?.();
  }
  await mustBeIt();
  return seen;
}

async function gather({ index }: ReconcileComponents, init: ReconcileInit, seen: SeenSectors): Promise<Facts> {
  const { store, live } = init;
  const shares = await indexedShares(index, init);
  const denied = new Set([...live.keys()].filter((minerId) => !storeAllows(store, minerId)));
  await index.add(
    seen.complete.filter(({ minerId }) => !denied.has(minerId)).map((one) => ({ ...one, store: store.name })),
  );
  return { ...shares, live, denied, seen: seen.all };
}

/** What the index has of the store, and of these miners in others. */
async function indexedShares(
  index: SectorIndex,
  { store, stores, live }: ReconcileInit,
): Promise<Pick<Facts, 'indexed' | 'elsewhere'>> {
  const ofMiners = (await Promise.all([...live.keys()].map((minerId) => index.shares({ minerId })))).flat();
  return {
    indexed: await index.shares({ store: store.name }),
    elsewhere: ofMiners.filter((share) => share.store !== store.name && stores.includes(share.store)),
  };
}
