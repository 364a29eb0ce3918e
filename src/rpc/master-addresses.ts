const MAX_HINTS = 3;

/**
 * The order in which masters are tried. A round tries each address once: the one that was good last, those of the
 * configuration, and in between whom a standby names as the leader, but not on and on.
 */
export class MasterAddresses {
  readonly #urls: readonly string[];
  #queue: string[];
  readonly #tried = new Set<string>();
  #hints = 0;

  /** @param urls whole URLs */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.#queue = [...urls];
  }

  /** The next of this round; undefined when all were tried. */
  next(): string | undefined {
    const url = this.#queue.find((candidate) => !this.#tried.has(candidate));
    if (url !== undefined) this.#tried.add(url);
    return url;
  }

  /** Begins a round. */
  restart(first?: string): void {
    this.#tried.clear();
    this.#hints = 0;
    this.#queue = first === undefined ? [...this.#urls] : [first, ...this.#urls];
  }

  /**
   * The master at `from` names `host:port` as the leader. It is reached as `from` was, so that a token which was shown to a
   * master over TLS is never shown to another in the clear.
   */
  hint(from: string, leader: unknown): void {
    if (typeof leader !== 'string' || ++this.#hints > MAX_HINTS) return;
    const url = `${from.slice(0, from.indexOf('://'))}://${leader}`;
    if (/^[\w.:[\]-]+:\d+$/.test(leader) && URL.canParse(url)) this.#queue.unshift(url);
  }
}
