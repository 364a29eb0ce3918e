const LEAST = 8;
/** As many as a check process has threads. */
export const MOST_PARALLEL = 32;
const FIRST = 16;
const STEP = 4;
/** A share that means nothing. */
const NOISE = 0.05;

/**
 * How many sectors a store is asked for at a time, learnt from its answers: more while that brings more answers in the same time, and
 * fewer while it does not, since they would only wait in the store's own queue, and in the way of those that read there.
 */
export class Parallelism {
  #limit = FIRST;
  #step = STEP;
  /** Of the last round, in sectors a millisecond. */
  #rate: number | undefined;
  #answers = 0;
  #sumMs = 0;

  get limit(): number {
    return this.#limit;
  }

  /** A sector was answered after so many milliseconds. */
  answered(tookMs: number): void {
    this.#sumMs += tookMs;
    this.#answers++;
    if (this.#answers < 2 * this.#limit) return;
    const rate = (this.#limit * this.#answers) / Math.max(this.#sumMs, Number.MIN_VALUE);
    const gain = this.#rate === undefined ? 1 : rate / this.#rate - 1;
    if (gain < -NOISE) this.#step = -this.#step;
    else if (gain <= NOISE) this.#step = this.#limit === LEAST ? STEP : -STEP;
    this.#limit = Math.min(MOST_PARALLEL, Math.max(LEAST, this.#limit + this.#step));
    this.#rate = rate;
    this.#answers = 0;
    this.#sumMs = 0;
  }
}
