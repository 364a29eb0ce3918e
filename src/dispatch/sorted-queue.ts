type Compare<T> = (a: T, b: T) => number;

/** Where no more than this many places are empty, they are left so. */
const FEW = 64;

/**
 * Items in order, for many of them: most are added near the end and taken from the front, which moves nothing; adding or removing
 * elsewhere moves what comes after. `compare` must tell any two items apart.
 */
export class SortedQueue<T> implements Iterable<T> {
  readonly #compare: Compare<T>;
  readonly #items: T[] = [];
  /** Places at the front that are empty. */
  #empty = 0;

  constructor(compare: Compare<T>) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length - this.#empty;
  }

  /** Counted from the front. */
  at(index: number): T | undefined {
    return this.#items[this.#empty + index];
  }

  add(item: T): void {
    this.#items.splice(this.#placeOf(item), 0, item);
  }

  /** Nothing happens when it is not there. */
  remove(item: T): void {
    const place = this.#placeOf(item);
    const found = this.#items[place];
    if (found === undefined || this.#compare(found, item) !== 0) return;
    if (place > this.#empty) this.#items.splice(place, 1);
    else if (++this.#empty > FEW && this.#empty > this.#items.length / 2) {
      this.#items.splice(0, this.#empty);
      this.#empty = 0;
    }
  }

  /** Nothing may be added or removed meanwhile: whoever looks at the first few of many must not pay for all. */
  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#empty; at < this.#items.length; at++) yield this.#items[at] as T;
  }

  /** The first place whose item does not come before this one. */
  #placeOf(item: T): number {
    let [from, to] = [this.#empty, this.#items.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#compare(this.#items[middle] as T, item) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
