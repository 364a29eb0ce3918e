/** What came and was not taken yet; `next` waits for more. */
export class EventQueue<T> {
  readonly #events: T[] = [];
  readonly #waiting: ((event: T) => void)[] = [];

  push(event: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting(event);
  }

  next(): Promise<T> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next one that `matches`; those before it are dropped. */
  async until(matches: (event: T) => boolean): Promise<T> {
    for (;;) {
      const event = await this.next();
      if (matches(event)) return event;
    }
  }

  get size(): number {
    return this.#events.length;
  }
}
