/** A sector that was looked for in a store. */
export interface SeenSector {
  /** Of its sealed file, or else its cache folder, below the store. */
  readonly path: string;
  /** It should be there, is not, or not with its sizes, and is whole in no other store. */
  readonly isGone: boolean;
}

/** Fewer say too little about a store: small partitions have one or two sectors in it. */
const LEAST = 32;

/** What the last looks found in a store: all of the last check, and those before it while there are few. */
export class RecentLooks {
  /** Whether it was gone, by path; the oldest first. */
  #looks = new Map<string, boolean>();

  get gone(): number {
    let gone = 0;
    for (const isGone of this.#looks.values()) if (isGone) gone++;
    return gone;
  }

  get size(): number {
    return this.#looks.size;
  }

  /** A sector that was looked for again counts once, as it was found now. */
  add(seen: readonly SeenSector[]): void {
    for (const { path, isGone } of seen) {
      this.#looks.delete(path);
      this.#looks.set(path, isGone);
    }
    const most = Math.max(LEAST, seen.length);
    for (const path of this.#looks.keys()) {
      if (this.#looks.size <= most) return;
      this.#looks.delete(path);
    }
  }

  keepOnly(isKept: (path: string) => boolean): void {
    this.#looks = new Map([...this.#looks].filter(([path]) => isKept(path)));
  }
}
