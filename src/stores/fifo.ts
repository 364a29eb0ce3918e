/** First in, first out. Taking from the front of a long array moves all the rest each time. */
export class Fifo<T> {
  #items: T[] = [];
  #next = 0;

  get size(): number {
    return this.#items.length - this.#next;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#next];
    if (this.size > 0) this.#next++;
    if (this.#next > 1_000 && this.size < this.#next) this.#items = this.takeAll();
    return item;
  }

  takeAll(): T[] {
    const items = this.#items.slice(this.#next);
    this.#items = [];
    this.#next = 0;
    return items;
  }
}
