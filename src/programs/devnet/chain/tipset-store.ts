import { type TipSet, tipSetName } from './tipset.ts';

/** Tipsets of all branches, and which of them are the chain. The oldest are forgotten; the genesis never is. */
export class TipSetStore {
  readonly genesis: TipSet;
  readonly #byName = new Map<string, TipSet>();
  readonly #keep: number;
  #head: TipSet;

  /** @param keep how many tipsets, at least; queries about older ones fail. */
  constructor(genesis: TipSet, keep: number) {
    this.genesis = genesis;
    this.#head = genesis;
    this.#keep = keep;
    this.add(genesis);
  }

  get head(): TipSet {
    return this.#head;
  }

  set head(tipSet: TipSet) {
    this.#head = tipSet;
  }

  add(tipSet: TipSet): void {
    this.#byName.set(tipSetName(tipSet.key), tipSet);
    // A Map keeps the order of insertion, which is about that of the heights.
    if (this.#byName.size > this.#keep) {
      const oldest = this.#byName.keys().next().value;
      if (oldest !== undefined) this.#byName.delete(oldest);
    }
  }

  get(key: readonly string[]): TipSet | undefined {
    const name = tipSetName(key);
    return name === tipSetName(this.genesis.key) ? this.genesis : this.#byName.get(name);
  }

  parent(tipSet: TipSet): TipSet | undefined {
    return tipSet.height === this.genesis.height ? undefined : this.get(tipSet.parents);
  }

  /** `from` and the tipsets below it, down to the genesis or as far as they are kept. */
  *chainFrom(from: TipSet): Generator<TipSet, void, undefined> {
    for (let tipSet: TipSet | undefined = from; tipSet !== undefined; tipSet = this.parent(tipSet)) yield tipSet;
  }

  /** The tipset at this height of the chain below `from`, or the one before it where there is none. */
  atOrBelow(height: number, from: TipSet): TipSet {
    for (const tipSet of this.chainFrom(from)) if (tipSet.height <= height) return tipSet;
    return this.genesis;
  }

  /** The same, or the one after it. */
  atOrAbove(height: number, from: TipSet): TipSet {
    let above = from;
    for (const tipSet of this.chainFrom(from)) {
      if (tipSet.height < height) break;
      above = tipSet;
    }
    return above;
  }
}
