import { withTimeLimit } from '../clock/time-limit.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { SectorCheck } from '../stores/sector-check.ts';
import type { CheckInit } from '../stores/store-checker.ts';
import type { PosterComponents } from './components.ts';

/**
 * Every look at a store has limits of its own. Should one fail to keep them, the partition may still be read and proven in its window;
 * a partition of 2,349 sectors in stores that take 100 ms for each call takes a third of this.
 */
const LIMIT_MS = 10 * 60_000;

/** What a check finds; after the limit all sectors are unknown. @throws the signal's reason, and what the check throws */
export async function checkInTime(
  { clock, checker }: Pick<PosterComponents, 'clock' | 'checker'>,
  { signal, ...init }: CheckInit & { readonly signal: AbortSignal },
): Promise<SectorCheck[]> {
  const late = new AbortController();
  const checking = checker.check({ ...init, signal: AbortSignal.any([signal, late.signal]) });
  try {
    return await withTimeLimit(clock, LIMIT_MS, 'the check of the files', checking);
  } catch (error) {
    if (errorCode(error) !== 'time-limit') throw error;
    return init.sectors.map(({ number }) => ({ number, verdict: 'unknown', reason: errorText(error) }));
  } finally {
    late.abort();
  }
}
