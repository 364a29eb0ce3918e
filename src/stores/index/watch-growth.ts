import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import { CodedError, errorText } from '../../errors/coded-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type PersistStore, storeAllows } from '../persist-store.ts';
import { scanStore } from '../scan/scan-store.ts';
import { mustBeItself, type StoreChecker } from '../store-checker.ts';
import { FoundSectors } from './found-sectors.ts';
import { SectorIndex } from './sector-index.ts';
import { recordStore } from './store-records.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly checker: Pick<StoreChecker, 'stores' | 'trouble'>;
}

const PAUSE_MS = 10 * 60_000;
/** A store is being listed for at most a twentieth of the time. */
const PAUSE_PER_SCAN = 20;
/** New sectors that are looked at; a cluster seals a few in an hour. */
const SECTORS_PER_SECOND = 50;

/** Indexes the new sectors of growing stores until the signal. */
export async function watchGrowth(components: Components, signal: AbortSignal): Promise<void> {
  const { clock, logger, checker } = components;
  const troubled = new Set<string>();
  while (!signal.aborted) {
    const began = clock.monotonic();
    for (const store of checker.stores.filter(({ growing }) => growing)) {
      try {
        const count = await indexNewSectors(components, store, signal);
        if (count > 0) logger.info({ store: store.name, count }, 'new sectors indexed');
        troubled.delete(store.name);
      } catch (error) {
        if (signal.aborted) return;
        // Once: whether the store answers is the check's to tell.
        if (!troubled.has(store.name))
          logger.warn({ store: store.name, reason: errorText(error) }, 'growing store could not be scanned');
        troubled.add(store.name);
      }
    }
    const tookMs = clock.monotonic() - began;
    await clock.sleep(Math.max(PAUSE_MS, tookMs * PAUSE_PER_SCAN), signal).catch(() => {});
  }
}

/**
 * Lists a store and looks at what is not in the index; what is not whole yet is looked at again next time. Returns how many came.
 * @throws CodedError `store-not-itself`, and those of `scanStore`
 */
export async function indexNewSectors(
  components: Components,
  store: PersistStore,
  signal: AbortSignal,
): Promise<number> {
  const { db, checker } = components;
  const { name, path } = store;
  const index = new SectorIndex({ db });
  const shares = await index.shares({ store: name });
  if (
    shares.length === 0 &&
    !(await index.scannedStores()).has(name) &&
    (await isEmptyMount(components, path, signal))
  ) {
    // Whatever comes is new, so all of it will be known.
    await recordStore(db, store, { tookMs: 0, sectors: 0, strange: 0 });
    return 0;
  }
  await mustBeItself(checker, name);
  const known = shares.map(({ minerId, upgraded, sealed, cache }) => ({
    minerId,
    upgraded,
    sectors: sealed.intersection(cache),
  }));
  const found = new FoundSectors({
    isOurs: (minerId) => storeAllows(store, minerId),
    allowSplit: false,
    onLeftOut: () => {},
  });
  for await (const { sectors } of scanStore(components, {
    path,
    known,
    sectorsPerSecond: SECTORS_PER_SECOND,
    signal,
  })) {
    for (const sector of sectors) found.add(sector);
  }
  if (found.counts.ok === 0) return 0;
  await mustBeItself(checker, name);
  await index.add(found.usable(name));
  await recordStore(db, store, undefined);
  return found.counts.ok;
}

/** Where it is a folder of the file system around it, its own may not be mounted. */
async function isEmptyMount(components: Components, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of scanStore(components, { path, signal })) return false;
    return false;
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'store-empty') throw error;
    return error.data.isMount === true;
  }
}
