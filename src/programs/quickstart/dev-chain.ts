interface Announcement {
  readonly rpc: string;
  readonly token: string;
  readonly worker: string;
}

/** What the development chain says on its standard output. */
export class DevChain {
  readonly listening: Promise<Announcement>;
  readonly #verified = new Map<string, number>();
  readonly #disputed = new Map<string, number>();
  #announce: (value: Announcement) => void = () => {};

  constructor() {
    this.listening = new Promise((resolve) => {
      this.#announce = resolve;
    });
  }

  onLine(text: string): void {
    const line = JSON.parse(text);
    if (line.rpc !== undefined) this.#announce(line);
    const counts = { verified: this.#verified, disputed: this.#disputed }[line.event as string];
    for (const partition of counts === undefined ? [] : line.partition) {
      const key = `${line.message}/${partition}`;
      counts?.set(key, (counts.get(key) ?? 0) + 1);
    }
  }

  verdictOn(result: { readonly messageCid: string | null; readonly partition: number }): {
    verified: boolean;
    disputed: boolean;
  } {
    const key = `${result.messageCid}/${result.partition}`;
    return { verified: this.#verified.has(key), disputed: this.#disputed.has(key) };
  }
}
