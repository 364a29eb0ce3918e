import { join } from 'node:path';
import type { PersistStore } from '../persist-store.ts';
import { sectorFiles } from '../sector-files.ts';
import type { StoreChecker } from '../store-checker.ts';
import type { Difference } from './difference.ts';
import type { Live } from './live-sectors.ts';

interface Init {
  /** In which all of these are. */
  readonly store: PersistStore;
  /** By miner. */
  readonly live: ReadonlyMap<number, Live>;
  /** Called after so many were looked for, and awaited. */
  readonly pace: (count: number) => Promise<void>;
}

/** Looked for at a time. */
const SECTORS_AT_ONCE = 256;

/**
 * Leaves out duplicates of which no other copy is there: they were moved here, and the index does not know yet that the other store has
 * them no more. All else is passed on.
 */
export async function* realDuplicates(
  checker: Pick<StoreChecker, 'check'>,
  init: Init,
  differences: Iterable<Difference>,
): AsyncGenerator<Difference> {
  let candidates: Difference[] = [];
  for (const difference of differences) {
    if (difference.kind !== 'duplicate') {
      yield difference;
      continue;
    }
    candidates.push(difference);
    if (candidates.length < SECTORS_AT_ONCE) continue;
    yield* await withOtherCopy(checker, init, candidates);
    candidates = [];
  }
  yield* await withOtherCopy(checker, init, candidates);
}

async function withOtherCopy(
  checker: Pick<StoreChecker, 'check'>,
  { store, live, pace }: Init,
  candidates: readonly Difference[],
): Promise<Difference[]> {
  const real: Difference[] = [];
  for (const [minerId, { sectorSize }] of live) {
    const its = candidates.filter((candidate) => candidate.minerId === minerId);
    if (its.length === 0) continue;
    const sectors = its.map(({ number, upgraded }) => {
      const { sealed, cache } = sectorFiles(minerId, number, { upgraded, sectorSize });
      // Were this one corrupt, is there another?
      const here = { number, sealedFile: join(store.path, sealed.path), cacheDir: join(store.path, cache.path) };
      return { number, upgraded, corrupt: [here] };
    });
    const checks = await checker.check({ minerId, sectorSize, sectors });
    real.push(...its.filter((_, index) => checks[index]?.verdict === 'good'));
    await pace(its.length);
  }
  return real;
}
