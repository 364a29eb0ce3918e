import { CodedError } from '../errors/coded-error.ts';
import { decodeRlePlus, encodeRlePlus } from './rle-plus.ts';

// As in go-bitfield: positions and the length of the whole field fit an unsigned 64-bit number.
const MAX_LENGTH = 2n ** 64n - 1n;

/**
 * An immutable set of numbers kept as runs, so that a field costs by its gaps and not by its size.
 *
 * Positions up to 2^64-2 are kept and encoded exactly; the methods that speak of single positions use `number` and
 * throw `number-too-large` for one above 2^53-1.
 */
export class Bitfield {
  /** Where the field changes, ascending: the start of a run of ones, its end (exclusive), the next start, … */
  readonly #edges: readonly bigint[];

  private constructor(edges: readonly bigint[]) {
    this.#edges = edges;
  }

  static get empty(): Bitfield {
    return new Bitfield([]);
  }

  /**
   * The set of these positions, in any order and with repetitions.
   * @throws CodedError `bad-bitfield` for one that is not a whole number from 0 to 2^53-1.
   */
  static of(positions: Iterable<number>): Bitfield {
    const edges: bigint[] = [];
    for (const position of [...new Set(positions)].sort((a, b) => a - b)) {
      if (!Number.isSafeInteger(position) || position < 0) {
        throw new CodedError('bad-bitfield', `${position} is not a whole number from 0 to 2^53-1`);
      }
      const start = BigInt(position);
      if (edges.at(-1) === start) edges.pop();
      else edges.push(start);
      edges.push(start + 1n);
    }
    return new Bitfield(edges);
  }

  /**
   * From lengths of runs, zeros first, alternating; a last run of zeros is dropped.
   * @throws CodedError `bad-bitfield` for a negative run, an empty one that is not the first, or more than 2^64-1 bits.
   */
  static fromRunLengths(lengths: readonly (number | bigint)[]): Bitfield {
    const edges: bigint[] = [];
    let position = 0n;
    for (const [index, length] of lengths.entries()) {
      if (typeof length === 'number' && !Number.isSafeInteger(length)) {
        throw new CodedError('bad-bitfield', `run length ${length} is not a whole number up to 2^53-1`);
      }
      if (length < 0 || (index > 0 && BigInt(length) === 0n)) {
        throw new CodedError('bad-bitfield', 'a bit field may have an empty run only at its start');
      }
      position += BigInt(length);
      if (position > MAX_LENGTH) throw new CodedError('bad-bitfield', 'bit field is longer than 2^64-1 bits');
      edges.push(position);
    }
    if (edges.length % 2 === 1) edges.pop();
    return new Bitfield(edges);
  }

  /**
   * From Lotus' JSON: an array of run lengths, or null for an empty field.
   * @throws CodedError `bad-bitfield`
   */
  static fromJsonRuns(json: unknown): Bitfield {
    if (json === null) return Bitfield.empty;
    if (!Array.isArray(json) || !json.every((length) => typeof length === 'number')) {
      throw new CodedError('bad-bitfield', 'a bit field is a JSON array of run lengths');
    }
    return Bitfield.fromRunLengths(json);
  }

  /** @throws CodedError `bad-rle-plus`, `bad-bitfield` */
  static fromRlePlus(bytes: Uint8Array): Bitfield {
    return Bitfield.fromRunLengths(decodeRlePlus(bytes));
  }

  /** Run lengths, zeros first, ending with ones; nothing for the empty field. */
  runLengths(): bigint[] {
    return this.#edges.map((edge, index) => edge - (this.#edges[index - 1] ?? 0n));
  }

  /** Lotus' JSON: `[0]` for the empty field. */
  toJsonRuns(): number[] {
    return this.isEmpty ? [0] : this.runLengths().map(safeNumber);
  }

  toRlePlus(): Uint8Array {
    return encodeRlePlus(this.runLengths());
  }

  get isEmpty(): boolean {
    return this.#edges.length === 0;
  }

  /** How many positions are set. */
  get count(): number {
    let count = 0n;
    for (const [index, length] of this.runLengths().entries()) if (index % 2 === 1) count += length;
    return safeNumber(count);
  }

  get first(): number | undefined {
    const start = this.#edges[0];
    return start === undefined ? undefined : safeNumber(start);
  }

  get last(): number | undefined {
    const end = this.#edges.at(-1);
    return end === undefined ? undefined : safeNumber(end - 1n);
  }

  has(position: number): boolean {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const edge = this.#edges[middle];
      if (edge !== undefined && edge <= position) low = middle + 1;
      else high = middle;
    }
    return low % 2 === 1;
  }

  /** All set positions, ascending. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let index = 0; index < this.#edges.length; index += 2) {
      const last = safeNumber((this.#edges[index + 1] ?? 0n) - 1n);
      for (let position = Number(this.#edges[index]); position <= last; position++) yield position;
    }
  }

  union(...others: readonly Bitfield[]): Bitfield {
    return others.reduce((sum, other) => sum.#combine(other, (left, right) => left || right), this as Bitfield);
  }

  intersection(other: Bitfield): Bitfield {
    return this.#combine(other, (left, right) => left && right);
  }

  subtract(other: Bitfield): Bitfield {
    return this.#combine(other, (left, right) => left && !right);
  }

  /**
   * The `length` set positions after the first `start` ones.
   * @throws CodedError `bad-bitfield` when fewer are set.
   */
  slice(start: number, length: number): Bitfield {
    const edges: bigint[] = [];
    let skip = BigInt(start);
    let wanted = BigInt(length);
    for (let index = 0; index < this.#edges.length && wanted > 0n; index += 2) {
      const runStart = this.#edges[index] ?? 0n;
      const runEnd = this.#edges[index + 1] ?? 0n;
      const from = runStart + skip;
      if (from >= runEnd) {
        skip -= runEnd - runStart;
        continue;
      }
      const to = from + wanted < runEnd ? from + wanted : runEnd;
      edges.push(from, to);
      skip = 0n;
      wanted -= to - from;
    }
    if (wanted > 0n) throw new CodedError('bad-bitfield', `bit field has fewer than ${start} + ${length} bits set`);
    return new Bitfield(edges);
  }

  equals(other: Bitfield): boolean {
    return (
      this.#edges.length === other.#edges.length && this.#edges.every((edge, index) => edge === other.#edges[index])
    );
  }

  #combine(other: Bitfield, keep: (left: boolean, right: boolean) => boolean): Bitfield {
    const edges: bigint[] = [];
    let left = 0;
    let right = 0;
    for (;;) {
      const edge = smaller(this.#edges[left], other.#edges[right]);
      if (edge === undefined) return new Bitfield(edges);
      if (this.#edges[left] === edge) left++;
      if (other.#edges[right] === edge) right++;
      const inside = edges.length % 2 === 1;
      if (keep(left % 2 === 1, right % 2 === 1) !== inside) edges.push(edge);
    }
  }
}

function smaller(left: bigint | undefined, right: bigint | undefined): bigint | undefined {
  if (left === undefined) return right;
  return right === undefined || left < right ? left : right;
}

function safeNumber(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new CodedError('number-too-large', `${value} is above 2^53-1; such sector numbers are not supported`);
  }
  return Number(value);
}
