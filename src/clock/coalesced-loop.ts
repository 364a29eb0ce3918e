import type { Clock } from './clock.ts';

/**
 * Runs `work` after each `wake`, never twice at once; wakes that come while it runs are answered by one more run. A failure is told
 * and tried again after `retryMs`, however many wakes come before.
 */
export class CoalescedLoop {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #work: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #retryMs: number;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #callOffRetry: (() => void) | undefined;

  constructor(
    components: { readonly clock: Pick<Clock, 'after'> },
    init: {
      readonly work: () => Promise<void>;
      readonly onFailure: (error: unknown) => void;
      readonly retryMs: number;
    },
  ) {
    this.#clock = components.clock;
    this.#work = init.work;
    this.#onFailure = init.onFailure;
    this.#retryMs = init.retryMs;
  }

  /** In the pause after a failure it waits with the others for the next try. */
  wake(): void {
    this.#again = true;
    if (this.#closed || this.#running !== undefined || this.#callOffRetry !== undefined) return;
    // Started a turn later, so that `work` itself may wake.
    this.#running = Promise.resolve()
      .then(() => this.#drain())
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.wake();
      });
  }

  /** Waits for a run in progress. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOffRetry?.();
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#work();
      } catch (error) {
        this.#onFailure(error);
        this.#callOffRetry = this.#clock.after(this.#retryMs, () => {
          this.#callOffRetry = undefined;
          this.wake();
        });
        return;
      }
    }
  }
}
