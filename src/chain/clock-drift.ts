/** Blocks come this long after their time stamps on a well connected node. */
const USUAL_DELAY_MS = 5_000;
const SAMPLES = 10;
/** Fewer heads may all have come late. */
const MIN_SAMPLES = 5;

interface Sample {
  readonly stampMs: number;
  readonly monotonic: number;
  /** From the time stamp to its arrival by the wall clock. */
  readonly delayMs: number;
}

/** How far the wall clock is off the chain's time, told from the heads as they come. */
export class ClockDrift {
  readonly #samples: Sample[] = [];

  /** A new head: the time stamp of its tipset, and when it came by the wall clock and by the monotonic one. All in milliseconds. */
  observe(stampMs: number, seenMs: number, monotonic: number): void {
    if (this.#samples.at(-1)?.stampMs === stampMs) return;
    this.#samples.push({ stampMs, monotonic, delayMs: seenMs - stampMs });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** Forgets what came before the clock was set. */
  restart(): void {
    this.#samples.length = 0;
  }

  /**
   * Milliseconds that the wall clock is ahead of the chain, negative behind; undefined while nothing can be told: too few heads,
   * or time stamps that do not go at the pace of time (a node that reads up, a test network).
   */
  get drift(): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || this.#samples.length < MIN_SAMPLES) return undefined;
    const pace = (last.stampMs - first.stampMs) / (last.monotonic - first.monotonic);
    if (!(pace > 0.8 && pace < 1.25)) return undefined;
    const least = Math.min(...this.#samples.map(({ delayMs }) => delayMs));
    return least < 0 ? least : Math.max(0, least - USUAL_DELAY_MS);
  }
}
