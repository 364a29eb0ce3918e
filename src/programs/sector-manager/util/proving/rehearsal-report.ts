/** One sector of a rehearsal. */
export interface RehearsedSector {
  readonly deadline: number;
  readonly partition: number;
  readonly number: number;
  /** null: it was found in none. */
  readonly store: string | null;
  readonly verdict: 'good' | 'bad' | 'corrupt' | 'unknown';
  readonly reason: string | null;
  /** How long reading it took; null: it was not read, or the slave's version does not tell. */
  readonly ms: number | null;
}

/** What reading is like in one store; times in milliseconds. */
export interface StoreRehearsal {
  /** null: sectors that were found in no store. */
  readonly store: string | null;
  readonly sectors: number;
  readonly bad: number;
  readonly unknown: number;
  /** Of one sector; null where nothing was read. */
  readonly read: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Reading of a whole partition that lies in this store alone. */
  readonly partitionMs: number | null;
  /** Whether that leaves the SNARK and the message enough of the window. */
  readonly fits: boolean | null;
  /** Far slower than the other stores. */
  readonly slow: boolean;
}

/** The SNARK and the message have the other half. */
const SHARE_OF_WINDOW = 0.5;
/** As the prover judges. */
const SLOWER = 3;
const ENOUGH_SECTORS = 3;

/** By name of the store. `readers`: how many the prover shares out; `partitionSectors`: of a full partition. */
export function storeRehearsals(
  sectors: readonly RehearsedSector[],
  init: { readonly readers: number; readonly partitionSectors: number; readonly windowMs: number },
): StoreRehearsal[] {
  return [...new Set(sectors.map(nameOf))].sort().map((store) => {
    const own = sectors.filter((sector) => nameOf(sector) === store);
    const times = timesOf(own);
    const others = timesOf(sectors.filter((sector) => nameOf(sector) !== store));
    const meanMs = times.reduce((sum, ms) => sum + ms, 0) / times.length;
    const partitionMs = times.length === 0 ? null : Math.round((meanMs * init.partitionSectors) / init.readers);
    return {
      store: store === '' ? null : store,
      sectors: own.length,
      bad: own.filter(({ verdict }) => verdict === 'bad' || verdict === 'corrupt').length,
      unknown: own.filter(({ verdict }) => verdict === 'unknown').length,
      read: times.length === 0 ? null : { p50: at(times, 0.5), p99: at(times, 0.99), max: at(times, 1) },
      partitionMs,
      fits: partitionMs === null ? null : partitionMs <= init.windowMs * SHARE_OF_WINDOW,
      slow: times.length >= ENOUGH_SECTORS && others.length > 0 && at(times, 0.5) > SLOWER * at(others, 0.5),
    };
  });
}

function nameOf({ store }: RehearsedSector): string {
  return store ?? '';
}

/** Ascending. */
function timesOf(sectors: readonly RehearsedSector[]): number[] {
  return sectors.flatMap(({ ms }) => (ms === null ? [] : [ms])).sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.round((sorted.length - 1) * share)] ?? 0;
}
