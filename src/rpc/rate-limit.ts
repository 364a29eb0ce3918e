import type { Clock } from '../clock/clock.ts';

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A bucket of `burst` tokens that fills up by `perSecond`. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #tokens: number;
  #filledAt: number;

  constructor(components: { readonly clock: Clock }, rate: Rate) {
    this.#clock = components.clock;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = this.#clock.monotonic();
  }

  /** Takes tokens; false, and nothing taken, when there are fewer. */
  take(tokens = 1): boolean {
    const now = this.#clock.monotonic();
    const filled = ((now - this.#filledAt) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + filled);
    this.#filledAt = now;
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }
}
