/** Heads are as far ahead as before, with this tolerance in epochs. */
const SAME_EPOCHS = 2;
/** So many in a row come by the pace of time: two and a half minutes. */
const STEADY_HEADS = 5;

/** How old the heads of a node were when they came, in epochs; of a network that goes with the time of day. */
export class HeadAge {
  #epochs: number | undefined;
  #steady = 0;

  /** @param epochs from the beginning of the head's epoch until it came; negative: it came before */
  observe(epochs: number): void {
    const isSame = this.#epochs !== undefined && Math.abs(epochs - this.#epochs) <= SAME_EPOCHS;
    this.#steady = isSame ? this.#steady + 1 : 1;
    this.#epochs = epochs;
  }

  /** Of the newest head. */
  get epochs(): number | undefined {
    return this.#epochs;
  }

  /** The heads keep their distance to the clock: where they are ahead of it, it is the clock that is wrong. */
  get isSteady(): boolean {
    return this.#steady >= STEADY_HEADS;
  }
}
