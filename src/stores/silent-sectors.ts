import type { Clock } from '../clock/clock.ts';
import type { SectorName } from './check-messages.ts';

const LONGEST_PAUSE_MS = 3_600_000;

/** Sectors whose files gave no answer while their store did: not asked for meanwhile, each time for twice as long. */
export class SilentSectors {
  readonly #clock: Clock;
  readonly #firstPauseMs: number;
  readonly #byName = new Map<string, { readonly until: number; readonly pauseMs: number }>();

  constructor({ clock }: { readonly clock: Clock }, { firstPauseMs }: { readonly firstPauseMs: number }) {
    this.#clock = clock;
    this.#firstPauseMs = firstPauseMs;
  }

  /** @param mayTry one whose time is over may be asked for again */
  isLeftOut(sector: SectorName, mayTry: boolean): boolean {
    const left = this.#byName.get(keyOf(sector));
    return left !== undefined && !(mayTry && this.#clock.monotonic() >= left.until);
  }

  leaveOut(sector: SectorName): void {
    const before = this.#byName.get(keyOf(sector));
    const pauseMs = before === undefined ? this.#firstPauseMs : Math.min(2 * before.pauseMs, LONGEST_PAUSE_MS);
    this.#byName.set(keyOf(sector), { until: this.#clock.monotonic() + pauseMs, pauseMs });
  }

  answered(sector: SectorName): void {
    if (this.#byName.size > 0) this.#byName.delete(keyOf(sector));
  }

  forget(): void {
    this.#byName.clear();
  }
}

function keyOf({ minerId, number, upgraded }: SectorName): string {
  return `${minerId}/${number}/${upgraded}`;
}
