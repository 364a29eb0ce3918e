import type { TipSet } from './tipset.ts';

/** Ten epochs of mainnet. */
const OLD_MS = 300_000;

/**
 * Whether a node is still reading up on the past, told from its heads as they come: they are old and their time stamps run faster
 * than the clock. A network whose time merely lags has heads as old, at the clock's pace.
 */
export class CatchingUp {
  #last: { readonly stampMs: number; readonly seenMs: number } | undefined;

  /** For each new head in turn, with the wall clock in milliseconds. */
  isCatchingUp(head: TipSet, nowMs: number): boolean {
    const stampMs = head.minTimestamp * 1000;
    const last = this.#last;
    this.#last = { stampMs, seenMs: nowMs };
    if (nowMs - stampMs <= OLD_MS) return false;
    // Of a single old head, or one after a long silence, nothing can be told yet.
    if (last === undefined || nowMs - last.seenMs > OLD_MS) return true;
    return stampMs - last.stampMs > 2 * (nowMs - last.seenMs);
  }
}
