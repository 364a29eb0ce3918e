import { readableDuration } from '../../../../cli/readable.ts';
import type { Clock } from '../../../../clock/clock.ts';
import type { ScanProgress } from '../../../../stores/scan/scanned-sector.ts';

const BAR_MS = 200;
const LINE_MS = 10_000;
const BAR_WIDTH = 24;

/** Shows on a terminal how far a scan is, and writes a line now and then elsewhere. */
export class ScanMeter {
  readonly #clock: Clock;
  readonly #out: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly #began: number;
  #shownAt: number;
  #isShown = false;

  constructor(clock: Clock, out: { readonly isTTY?: boolean; write(text: string): unknown }) {
    this.#clock = clock;
    this.#out = out;
    this.#began = clock.monotonic();
    this.#shownAt = this.#began;
  }

  show(progress: ScanProgress): void {
    const isTerminal = this.#out.isTTY === true;
    const now = this.#clock.monotonic();
    if (now - this.#shownAt < (isTerminal ? BAR_MS : LINE_MS)) return;
    this.#shownAt = now;
    const text = meterText(progress, now - this.#began, isTerminal);
    // Back to the start of the line, and nothing left of a longer one.
    this.#out.write(isTerminal ? `\r${text}\x1b[K` : `${text}\n`);
    this.#isShown = isTerminal;
  }

  /** A line of its own, above the bar. */
  line(text: string): void {
    this.clear();
    this.#out.write(`${text}\n`);
  }

  clear(): void {
    if (this.#isShown) this.#out.write('\r\x1b[K');
    this.#isShown = false;
  }
}

/** Time left is told once it is known how many there are. */
export function meterText({ listed, looked, isListed }: ScanProgress, elapsedMs: number, withBar: boolean): string {
  if (listed === 0) return 'listing the folders of the store';
  const perSecond = Math.round((looked * 1_000) / Math.max(1, elapsedMs));
  const left = isListed && perSecond > 0 ? `, ${readableDuration(((listed - looked) / perSecond) * 1_000)} left` : '';
  const filled = Math.floor((looked * BAR_WIDTH) / listed);
  const bar = withBar ? `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ` : '';
  const all = `${listed.toLocaleString('en')}${isListed ? '' : ' or more'}`;
  return `${bar}${looked.toLocaleString('en')} of ${all} sectors, ${perSecond.toLocaleString('en')}/s${left}`;
}
