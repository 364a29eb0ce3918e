import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../telemetry/logger.ts';

/** A computer's clock that steps by less is slewed, and two that differ by less are in order. */
const STEP_MS = 2_000;
const DIFFERENCE_MS = 5_000;
/** Somebody has to set a clock right, whatever else the log is full of. */
const TELL_EVERY_MS = 600_000;

/**
 * What the database's clock shows, between two looks at it counted on our steady one: our wall clock may be set at any moment (by
 * NTP after a boot, or when a machine was suspended), and what it shows then must not reach a lease or a Close.
 */
export class DatabaseClock {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #logger: Logger;
  /** The database's clock less our steady one. */
  #offset: number | undefined;
  /** Our wall clock less our steady one, at the last look. */
  #wallOffset: number | undefined;
  /** When it was last told that the clocks differ, on the steady one; undefined: they do not. */
  #toldAt: number | undefined;

  constructor(components: { readonly clock: Pick<Clock, 'now' | 'monotonic'>; readonly logger: Logger }) {
    this.#clock = components.clock;
    this.#logger = components.logger;
  }

  /** Before the first look our own. */
  now(): number {
    return this.#offset === undefined ? this.#clock.now() : this.#clock.monotonic() + this.#offset;
  }

  /**
   * What had its Close before this can be proven for nobody, by the database's clock and by ours. Where the two differ, and that is
   * alarmed, nobody here knows which is right: a proof made in vain costs a slot, one that was not made costs a window.
   */
  surelyPast(): number {
    return Math.min(this.now(), this.#clock.now());
  }

  /** Our wall clock was set, or our steady one stood still with its machine: the database's has to be looked at again. */
  get isDoubtful(): boolean {
    if (this.#wallOffset === undefined) return true;
    return Math.abs(this.#clock.now() - this.#clock.monotonic() - this.#wallOffset) > STEP_MS;
  }

  /** What a statement asked for at `askedAt` of our steady clock read. Returns by how much the database's clock was set since the last look. */
  observe(databaseNow: number, askedAt: number): number {
    const monotonic = this.#clock.monotonic();
    // It was read at some moment between.
    const [least, most] = [databaseNow - monotonic, databaseNow - askedAt];
    const before = this.#offset ?? least;
    this.#offset = Math.min(Math.max(before, least), most);
    this.#wallOffset = this.#clock.now() - monotonic;
    this.#tellDifference(monotonic);
    return this.#offset - before;
  }

  #tellDifference(monotonic: number): void {
    const databaseAheadMs = Math.round(this.now() - this.#clock.now());
    if (Math.abs(databaseAheadMs) <= DIFFERENCE_MS) {
      if (this.#toldAt !== undefined) this.#logger.info('the clocks of master and database agree again');
      this.#toldAt = undefined;
      return;
    }
    if (this.#toldAt !== undefined && monotonic - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = monotonic;
    this.#logger.error({ databaseAheadMs }, 'the clocks of master and database differ: set the wrong one right');
  }
}
