import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import { errorCode } from '../../errors/coded-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { PersistStore } from '../persist-store.ts';
import { refuseSameFolder } from '../same-folder.ts';
import { scanStore } from '../scan/scan-store.ts';
import type { ScanProgress, StrangeEntry } from '../scan/scanned-sector.ts';
import { mustBeItself, StoreChecker } from '../store-checker.ts';
import { type FoundInit, FoundSectors, type Verdict } from './found-sectors.ts';
import { goneSectors } from './gone-sectors.ts';
import { SectorIndex, type StoreShare } from './sector-index.ts';
import { SectorSet } from './sector-set.ts';
import { attachedStores, recordStore, refuseOtherPath, usualStore } from './store-records.ts';

export interface AttachInit extends FoundInit {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Stores that the configuration has: it may be none of these under another name. Those that are attached count, too. */
  readonly configured?: readonly Pick<PersistStore, 'name' | 'path'>[];
  readonly pattern?: string;
  /** Take out of the index what is gone; not with a pattern. */
  readonly prune: boolean;
  /** Write nothing. */
  readonly dryRun: boolean;
  /** As for `scanStore`. */
  readonly silenceMs?: number;
  readonly onProgress?: (progress: ScanProgress) => void;
  readonly onStrange?: (entry: StrangeEntry) => void;
  readonly signal?: AbortSignal;
}

export interface AttachReport {
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly strange: number;
  /** Bytes by miner. */
  readonly sectorSizes: ReadonlyMap<number, number>;
  /** Of those that are ok: in another store, too. */
  readonly duplicates: number;
  /** Of those that are ok: were not in the index. */
  readonly added: number;
  /** Taken out of the index. */
  readonly pruned: number;
  readonly tookMs: number;
  /** It holds nothing, and nothing is known of it. */
  readonly isEmpty: boolean;
  /** Why the scan did not come to its end; what it had found until then is in the index, unless it is of another store. */
  readonly failure?: unknown;
}

/**
 * Scans a store and puts what it holds into the index, beside whatever else is there.
 * @throws CodedError `store-name-taken`, `store-same-folder`, and those of the database
 */
export async function attachStore(
  components: { readonly clock: Clock; readonly logger: Logger; readonly db: Database },
  init: AttachInit,
): Promise<AttachReport> {
  const { clock, db } = components;
  const { name, path, pattern, dryRun, silenceMs, onProgress, signal } = init;
  const began = clock.monotonic();
  const index = new SectorIndex({ db });
  await refuseOtherPath(db, init);
  await refuseSameFolder(clock, init, [...(init.configured ?? []), ...(await attachedStores(db))]);
  const found = new FoundSectors(init);
  let strange = 0;
  let gone: StoreShare[] = [];
  let failure: unknown;
  let isStranger = false;
  const indexed = await index.shares({ store: name });
  try {
    const options = {
      path,
      ...(pattern !== undefined && { pattern }),
      ...(silenceMs !== undefined && { silenceMs }),
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    };
    for await (const batch of scanStore(components, options)) {
      for (const sector of batch.sectors) found.add(sector);
      for (const entry of batch.strange) init.onStrange?.(entry);
      strange += batch.strangeCount;
    }
    if (init.prune) gone = await goneSectors(components, { name, path, indexed, found, ...(signal && { signal }) });
  } catch (error) {
    failure = error;
  }
  try {
    if (indexed.length > 0) await refuseByLooking({ ...components, index }, init);
  } catch (error) {
    isStranger = true;
    gone = [];
    failure ??= error;
  }
  // Nothing was ever there: whoever attaches it says that so it is.
  const isEmpty = errorCode(failure) === 'store-empty' && indexed.length === 0;
  if (isEmpty) failure = undefined;
  const sectorSizes = found.settleSizes();
  const usable = isStranger ? [] : found.usable(name);
  if (!dryRun) {
    await index.add(usable);
    await index.remove(gone);
    const scan = { tookMs: clock.monotonic() - began, sectors: found.counts.ok, strange };
    if (usable.length > 0 || failure === undefined)
      await recordStore(db, init, failure === undefined && pattern === undefined ? scan : undefined);
  }
  return {
    counts: found.counts,
    strange,
    sectorSizes,
    duplicates: await countDuplicates(index, name, usable),
    added: sum(usable.map((share) => all(share).subtract(allOf(indexed, share)).size)),
    pruned: sum(gone.map((share) => all(share).size)),
    tookMs: clock.monotonic() - began,
    isEmpty,
    ...(failure !== undefined && { failure }),
  };
}

/** What a scan sees says nothing about whose store it is: a wrong one may hold copies. @throws CodedError `store-not-itself` */
async function refuseByLooking(
  components: { readonly clock: Clock; readonly logger: Logger; readonly index: SectorIndex },
  { silenceMs, ...store }: Pick<AttachInit, 'name' | 'path' | 'silenceMs'>,
): Promise<void> {
  const checker = new StoreChecker(components, {
    stores: [usualStore(store)],
    ...(silenceMs !== undefined && { sectorTimeoutMs: silenceMs }),
  });
  try {
    await mustBeItself(checker, store.name);
  } finally {
    checker.close();
  }
}

async function countDuplicates(index: SectorIndex, store: string, usable: readonly StoreShare[]): Promise<number> {
  let count = 0;
  for (const minerId of new Set(usable.map((share) => share.minerId))) {
    const elsewhere = (await index.shares({ minerId })).filter((share) => share.store !== store);
    for (const share of usable.filter((one) => one.minerId === minerId)) {
      count += all(share).intersection(allOf(elsewhere, share)).size;
    }
  }
  return count;
}

function allOf(shares: readonly StoreShare[], like: Pick<StoreShare, 'minerId' | 'upgraded'>): SectorSet {
  const alike = shares.filter(({ minerId, upgraded }) => minerId === like.minerId && upgraded === like.upgraded);
  return SectorSet.union(...alike.map(all));
}

function all({ sealed, cache }: Pick<StoreShare, 'sealed' | 'cache'>): SectorSet {
  return SectorSet.union(sealed, cache);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
