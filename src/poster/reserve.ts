import type { Pace } from './facts.ts';
import { isUnproven, type Run } from './run.ts';

/** Epochs before Close that a message is given to be signed, pushed and included. */
export const MESSAGE_EPOCHS = 10;
const RESERVE_MIN = 15;
const PAUSE_MAX = 8;

/** Epochs until the proofs still to make are there, and those before them, if each takes `each`. */
export function proofsLeft(run: Run, { slots, ahead }: Pace, each: number): number {
  const own = run.partitions.filter(isUnproven).length;
  return own === 0 ? 0 : Math.ceil((own + ahead) / Math.max(slots, 1)) * each;
}

/**
 * So many epochs before Close nothing is waited for any more: 10 for the message and those of the proofs still to make, slow ones
 * assumed; at least 15, at most half of the window.
 */
export function reserveOf(run: Run, pace: Pace): number {
  const wanted = MESSAGE_EPOCHS + Math.ceil(proofsLeft(run, pace, pace.slow));
  return Math.min(Math.max(wanted, RESERVE_MIN), Math.floor((run.close - run.open) / 2));
}

/**
 * The epoch until which a partition rests after `failures` failures in a row: none at first, since most pass at once, then 1, 2, 4
 * and 8 epochs, never past the beginning of the reserve and, past 1, never more than a quarter of the time left.
 */
export function pauseUntil(run: Run, pace: Pace, height: number, failures: number): number {
  if (failures <= 1) return height;
  const left = Math.max(run.close - height, 0);
  const pause = Math.min(2 ** (failures - 2), PAUSE_MAX, Math.max(Math.floor(left / 4), 1));
  const reserveBegins = run.close - reserveOf(run, pace);
  return height < reserveBegins ? Math.min(height + pause, reserveBegins) : height + pause;
}
