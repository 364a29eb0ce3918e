import type { Clock } from '../../clock/clock.ts';
import type { Chain } from './chain/chain.ts';
import type { Disputer } from './disputer.ts';
import type { Verdict } from './events.ts';
import { isQuiet, type QuietInit } from './quiet.ts';

/** Pause between tipsets while epochs are skipped, milliseconds. */
const FAST_MS = 2;

export interface ControlInit {
  /** Milliseconds between tipsets; 0 makes none by itself. */
  readonly blockTimeMs: number;
  /** When quiet stretches pass fast; without it they do not. */
  readonly skipQuiet?: QuietInit;
}

/** Makes the tipsets, at a pace that can be changed while it runs. */
export class Control {
  readonly #clock: Clock;
  readonly #chain: Chain;
  readonly #disputer: Disputer;
  readonly #skipQuiet: QuietInit | undefined;
  #blockTimeMs: number;
  #skipTo = 0;
  #lastMessage = Number.NEGATIVE_INFINITY;
  #wake = new AbortController();

  constructor(
    components: { readonly clock: Clock; readonly chain: Chain; readonly disputer: Disputer },
    init: ControlInit,
  ) {
    this.#clock = components.clock;
    this.#chain = components.chain;
    this.#disputer = components.disputer;
    this.#blockTimeMs = init.blockTimeMs;
    this.#skipQuiet = init.skipQuiet;
    components.chain.onChange((changes) => {
      for (const { tipSet } of changes) if (tipSet.messages.length > 0) this.#lastMessage = tipSet.height;
    });
  }

  setBlockTime(ms: number): void {
    this.#blockTimeMs = ms;
    this.#changePace();
  }

  /** Passes fast to this height, whatever anybody has to do before it. */
  skipTo(height: number): void {
    this.#skipTo = height;
    this.#changePace();
  }

  verdict(): Verdict {
    return this.#disputer.verdict();
  }

  /** Makes tipsets until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wake = this.#wake.signal;
      await this.#pause(AbortSignal.any([signal, wake])).catch(() => undefined);
      if (!signal.aborted && !wake.aborted) await this.#chain.mine();
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    const ms = this.#isFast() ? FAST_MS : this.#blockTimeMs;
    if (ms > 0) return this.#clock.sleep(ms, signal);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  #isFast(): boolean {
    const { head, pool } = this.#chain;
    if (head.height < this.#skipTo) return true;
    if (this.#skipQuiet === undefined || pool.size > 0 || this.#disputer.isBusy) return false;
    return isQuiet(head, this.#lastMessage, this.#skipQuiet);
  }

  #changePace(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
  }
}
