import type { Clock } from '../clock/clock.ts';

/** A bucket of `burst` tokens that fills up by `perSecond`. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(components: { readonly clock: Clock }, init: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = components.clock;
    this.#perSecond = init.perSecond;
    this.#burst = init.burst;
    this.#tokens = init.burst;
    this.#filledAt = this.#clock.monotonic();
  }

  /** Takes a token; false when there is none. */
  take(): boolean {
    const now = this.#clock.monotonic();
    const filled = ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + filled);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
