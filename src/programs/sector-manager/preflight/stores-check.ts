import type { Clock } from '../../../clock/clock.ts';
import type { Database } from '../../../database/database.ts';
import { SectorIndex } from '../../../stores/index/sector-index.ts';
import type { PersistStore } from '../../../stores/persist-store.ts';
import { sameFolders } from '../../../stores/same-folder.ts';
import type { Finding } from './preflight.ts';

/** What no store can say alone. */
export async function storesCheck(
  { clock, db }: { readonly clock: Clock; readonly db: () => Promise<Database> },
  stores: readonly PersistStore[],
): Promise<Omit<Finding, 'check'>> {
  if (stores.length === 0) {
    const text = 'none is configured: no sector can be found; list each as [[Common.PersistStores]]';
    return { verdict: 'fail', text };
  }
  const same = await sameFolders(clock, stores);
  if (same.length > 0) {
    const pairs = same.map(([one, first]) => `${one.name} (${one.path}) as ${first.name} (${first.path})`);
    const text = `the same folder: ${pairs.join(', ')}; mount what is missing, or take one of them out of the file`;
    return { verdict: 'fail', text };
  }
  const strangers = await neverAttached(db, stores);
  if (strangers.length > 0) {
    const text = `never attached, so what is missing there counts as unknown: ${strangers.join(', ')}; run util storage attach`;
    return { verdict: 'warn', text };
  }
  return { verdict: 'ok', text: `${stores.length} configured` };
}

/** Names. A database that is away is another check's finding. */
async function neverAttached(db: () => Promise<Database>, stores: readonly PersistStore[]): Promise<string[]> {
  try {
    const index = new SectorIndex({ db: await db() });
    const scanned = await index.scannedStores();
    return stores.map(({ name }) => name).filter((name) => !scanned.has(name));
  } catch {
    return [];
  }
}
