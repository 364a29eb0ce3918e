interface Shared<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  /** Those that wait for it. */
  waiting: number;
}

/** What several ask for at the same time is worked out once; the work ends when nobody waits for it any more. */
export class SharedWork<T> {
  readonly #running = new Map<string, Shared<T>>();

  /** @throws what the work throws, or the signal's reason */
  async get(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const shared = this.#running.get(key) ?? this.#begin(key, work);
    shared.waiting++;
    let onAbort = (): void => {};
    const gone = new Promise<never>((_, reject) => {
      onAbort = () => {
        reject(signal.reason);
        if (--shared.waiting > 0) return;
        this.#forget(key, shared);
        shared.stop.abort(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([shared.result, gone]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const stop = new AbortController();
    const shared = { result: work(stop.signal), stop, waiting: 0 };
    this.#running.set(key, shared);
    const forget = (): void => this.#forget(key, shared);
    shared.result.then(forget, forget);
    return shared;
  }

  #forget(key: string, shared: Shared<T>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key);
  }
}
