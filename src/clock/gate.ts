import type { Clock } from './clock.ts';

/** A state that others wait for, open or shut in turn. */
export class Gate {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #isOpen = false;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    this.#isOpen = true;
    for (const pass of [...this.#waiting]) pass();
  }

  shut(): void {
    this.#isOpen = false;
  }

  /** Resolves with true when open, with false when it stayed shut for `limitMs`. */
  wait(limitMs: number): Promise<boolean> {
    if (this.#isOpen) return Promise.resolve(true);
    return new Promise((resolve) => {
      const pass = (): void => {
        callOff();
        this.#waiting.delete(pass);
        resolve(this.#isOpen);
      };
      const callOff = this.#clock.after(limitMs, pass);
      this.#waiting.add(pass);
    });
  }
}
