import type { Clock } from '../../clock/clock.ts';

const PLAIN_INTERVAL_MS = 15_000;

/** One line on the terminal that changes in place; elsewhere a line of its own now and then, so that a log shows life. */
export class LiveLine {
  readonly #clock: Clock;
  readonly #out: NodeJS.WriteStream;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(components: { readonly clock: Clock }, init: { readonly out: NodeJS.WriteStream }) {
    this.#clock = components.clock;
    this.#out = init.out;
  }

  show(text: string): void {
    if (this.#out.isTTY) {
      this.#out.write(`\r\u001b[K  … ${text.slice(0, Math.max(this.#out.columns - 5, 20))}`);
      return;
    }
    if (this.#clock.monotonic() < this.#shownAt + PLAIN_INTERVAL_MS) return;
    this.#shownAt = this.#clock.monotonic();
    this.#out.write(`  … ${text}\n`);
  }

  /** A line that stays, in place of the live one. */
  done(text: string): void {
    this.#out.write(`${this.#out.isTTY ? '\r\u001b[K' : ''}  ✓ ${text}\n`);
  }
}
