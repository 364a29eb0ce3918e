/** Sector numbers in one block. */
export const BLOCK_SECTORS = 4_096;
export const BLOCK_BYTES = BLOCK_SECTORS / 8;

/** A set of sector numbers: 512 bytes for each 4,096 numbers of which one is in it, however many are. */
export class SectorSet implements Iterable<number> {
  readonly #blocks = new Map<number, Uint8Array>();

  static of(numbers: Iterable<number>): SectorSet {
    const set = new SectorSet();
    for (const number of numbers) set.add(number);
    return set;
  }

  /** A new set. */
  static union(...sets: readonly SectorSet[]): SectorSet {
    const all = new SectorSet();
    for (const set of sets) all.addAll(set);
    return all;
  }

  add(number: number): void {
    const bits = this.#block(Math.floor(number / BLOCK_SECTORS));
    const at = number % BLOCK_SECTORS;
    bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  }

  delete(number: number): void {
    const bits = this.#blocks.get(Math.floor(number / BLOCK_SECTORS));
    const at = number % BLOCK_SECTORS;
    if (bits !== undefined) bits[at >> 3] = (bits[at >> 3] ?? 0) & ~(1 << (at & 7));
  }

  has(number: number): boolean {
    const bits = this.#blocks.get(Math.floor(number / BLOCK_SECTORS));
    const at = number % BLOCK_SECTORS;
    return bits !== undefined && ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  get size(): number {
    let size = 0;
    for (const bits of this.#blocks.values()) for (const byte of bits) size += onesIn(byte);
    return size;
  }

  /** Ascending. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (const [block, bits] of this.blocks()) {
      for (const [index, byte] of bits.entries()) {
        for (let bit = 0; byte >> bit !== 0; bit++) {
          if ((byte >> bit) & 1) yield block * BLOCK_SECTORS + index * 8 + bit;
        }
      }
    }
  }

  addAll(other: SectorSet): void {
    for (const [block, bits] of other.#blocks) this.addBlock(block, bits);
  }

  /** A new set. */
  intersection(other: SectorSet): SectorSet {
    return this.#combine(other, (left, right) => left & right);
  }

  /** A new set. */
  subtract(other: SectorSet): SectorSet {
    return this.#combine(other, (left, right) => left & ~right);
  }

  /** By block, ascending, without empty ones; not to be written to. */
  blocks(): readonly (readonly [block: number, bits: Uint8Array])[] {
    return [...this.#blocks]
      .filter(([, bits]) => bits.some((byte) => byte !== 0))
      .sort(([left], [right]) => left - right);
  }

  /** @param bits at most BLOCK_BYTES; the rest is zero */
  addBlock(block: number, bits: Uint8Array): void {
    const own = this.#block(block);
    for (const [index, byte] of bits.entries()) own[index] = (own[index] ?? 0) | byte;
  }

  #combine(other: SectorSet, by: (left: number, right: number) => number): SectorSet {
    const result = new SectorSet();
    for (const [block, bits] of this.#blocks) {
      const others = other.#blocks.get(block);
      result.addBlock(
        block,
        bits.map((byte, index) => by(byte, others?.[index] ?? 0)),
      );
    }
    return result;
  }

  #block(block: number): Uint8Array {
    let bits = this.#blocks.get(block);
    if (bits === undefined) {
      bits = new Uint8Array(BLOCK_BYTES);
      this.#blocks.set(block, bits);
    }
    return bits;
  }
}

function onesIn(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}
