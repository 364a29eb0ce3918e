/** How long a proof takes, in milliseconds: most, and the slowest that is still sound. */
export interface ProofPace {
  readonly usual: number;
  readonly slow: number;
}

export interface Patience {
  /** After this another child is asked as well. */
  readonly askAnotherMs: number;
  /** After this nobody waits for the first any more, and it is ended where all that it holds is so; undefined: never. */
  readonly giveUpMs: number | undefined;
}

/** Answers looked back at. */
const HISTORY = 100;
/** With fewer than these nothing is said of the next ones. */
const HISTORY_MIN = 5;
/** However quick the proofs. */
const LEAST_ASK_MS = 1_000;
/** A child is not ended for slowness before, whatever was measured, since partitions differ in size: the length of a deadline. */
const LEAST_WAIT_MS = 30 * 60_000;

/** Of 32 GiB on a GPU with its reads, 9 and 15 epochs of a deadline of 60: the same shares of a shorter time. */
export function assumedWindowPace(leftMs: number): ProofPace {
  return { usual: Math.min(270_000, leftMs * 0.15), slow: Math.min(450_000, leftMs * 0.25) };
}

/** Proof times as they were lately. */
export class MeasuredPace {
  readonly #tookMs: number[] = [];

  add(tookMs: number): void {
    this.#tookMs.push(tookMs);
    if (this.#tookMs.length > HISTORY) this.#tookMs.shift();
  }

  /** Undefined where too few are known. */
  get pace(): ProofPace | undefined {
    if (this.#tookMs.length < HISTORY_MIN) return undefined;
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    return { usual: sorted[Math.floor(sorted.length / 2)] ?? 0, slow: sorted.at(-1) ?? 0 };
  }
}

/**
 * Asking a second child costs what is idle, so it comes early; ending the first may cost a proof that is nearly made, so it comes as
 * late as another proof needs before the end.
 * @param leftMs until the deadline closes
 * @returns undefined where it has closed
 */
export function patienceFor(leftMs: number, { usual, slow }: ProofPace): Patience | undefined {
  if (leftMs <= 0) return undefined;
  const lastCall = leftMs - usual;
  const isHungBy = 2 * slow;
  return {
    askAnotherMs: Math.max(usual, LEAST_ASK_MS, Math.min(isHungBy, lastCall)),
    giveUpMs: lastCall < isHungBy ? undefined : Math.min(lastCall, Math.max(2 * isHungBy, LEAST_WAIT_MS)),
  };
}
