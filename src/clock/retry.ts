import type { Clock } from './clock.ts';

export interface RetryInit {
  /** First pause in milliseconds; doubles up to `maxPauseMs`. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
  readonly signal?: AbortSignal;
  /** Whether trying again can help; the error is thrown on when not. Default: always. */
  readonly isTransient?: (error: unknown) => boolean;
  readonly onFailure?: (error: unknown, attempt: number) => void;
}

/** Runs `work` until it succeeds, its error is permanent, or the signal ends it. */
export async function retry<T>(clock: Clock, init: RetryInit, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1, pause = init.pauseMs; ; attempt++, pause = Math.min(pause * 2, init.maxPauseMs)) {
    init.signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (init.isTransient?.(error) === false) throw error;
      init.onFailure?.(error, attempt);
      await clock.sleep(pause, init.signal);
    }
  }
}
