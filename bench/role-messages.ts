import type { Body } from './tasks.ts';

export type ToRole =
  | { readonly type: 'backlog'; readonly body: Body; readonly count: number; readonly first: number }
  | {
      readonly type: 'arrivals';
      readonly body: Body;
      readonly count: number;
      readonly first: number;
      /** A second, on average. */
      readonly rate: number;
      readonly seed: number;
    }
  | { readonly type: 'consume' }
  | { readonly type: 'report' }
  | { readonly type: 'end' };

/** Pairs are of a task's number and a time in nanoseconds of CLOCK_MONOTONIC. */
export type FromRole =
  | { readonly type: 'ready' }
  /** `sends`: when each was meant to be sent. `ns`: from the first to all taken. */
  | { readonly type: 'enqueued'; readonly sends: readonly [number, number][]; readonly ns: number }
  | { readonly type: 'starts'; readonly starts: readonly [number, number][] }
  /** Since the process began. */
  | { readonly type: 'finished'; readonly count: number; readonly lastAt: number };
