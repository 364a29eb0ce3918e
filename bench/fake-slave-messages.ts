export type ToFakeSlaves =
  | { readonly type: 'join'; readonly address: string; readonly count: number }
  /** Tasks that come from now on are kept, not finished at once. */
  | { readonly type: 'hold' }
  /** Finishes all that is held. */
  | { readonly type: 'finish' };

/** Times are nanoseconds of CLOCK_MONOTONIC. */
export type FromFakeSlaves =
  | { readonly type: 'started'; readonly id: string; readonly at: number }
  /** Good hellos since the process began. */
  | { readonly type: 'joined'; readonly count: number; readonly lastAt: number }
  /** Attempts that were held, and those whose result was taken. */
  | { readonly type: 'results'; readonly held: number; readonly accepted: number };
