import { equalBytes } from '@noble/curves/utils.js';
import { CodedError } from '../errors/coded-error.ts';
import { encodeUvarint } from './uvarint.ts';

// An RLE+ stream is read bit by bit, the lowest bit of a byte first: two version bits (00), the value of the first run,
// then the lengths of runs of alternating value. A length is "1" for 1, "01" and 4 bits for 2 to 15, "00" and a varint
// above.
const LONGEST_SHORT_RUN = 15n;
const MAX_VARINT_BYTES = 10;

/**
 * Encodes run lengths (zeros first, alternating, none empty but the first, the last one of ones) as RLE+.
 * No runs at all are the empty string.
 */
export function encodeRlePlus(runs: readonly bigint[]): Uint8Array {
  if (runs.length === 0) return new Uint8Array();
  const bits = new BitWriter();
  const startsWithOnes = runs[0] === 0n;
  bits.write(0, 2);
  bits.write(startsWithOnes ? 1 : 0, 1);
  for (const length of startsWithOnes ? runs.slice(1) : runs) {
    if (length === 1n) {
      bits.write(1, 1);
    } else if (length <= LONGEST_SHORT_RUN) {
      bits.write(0b10, 2);
      bits.write(Number(length), 4);
    } else {
      bits.write(0, 2);
      for (const byte of encodeUvarint(length)) bits.write(byte, 8);
    }
  }
  return bits.finish();
}

/**
 * Decodes RLE+ to run lengths, zeros first.
 *
 * Only what `encodeRlePlus` writes is read: other encodings of the same bits (padded, runs in a longer form than
 * needed, trailing zeros) are read differently by different libraries.
 * @throws CodedError `bad-rle-plus`
 */
export function decodeRlePlus(bytes: Uint8Array): bigint[] {
  if (bytes.length === 0) return [];
  const bits = new BitReader(bytes);
  if (bits.read(2) !== 0) throw new CodedError('bad-rle-plus', 'RLE+ bit field has an unknown version');
  const runs: bigint[] = bits.read(1) === 1 ? [0n] : [];
  while (!bits.done) {
    const length = readRunLength(bits);
    // The padding of the last byte reads as a run without length.
    if (length === 0n) break;
    runs.push(length);
  }
  if (runs.length % 2 === 1 || !equalBytes(encodeRlePlus(runs), bytes)) {
    throw new CodedError('bad-rle-plus', 'RLE+ bit field is not in its canonical form');
  }
  return runs;
}

function readRunLength(bits: BitReader): bigint {
  if (bits.read(1) === 1) return 1n;
  if (bits.read(1) === 1) return BigInt(bits.read(4));
  let length = 0n;
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = bits.read(8);
    length |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return length;
  }
  throw new CodedError('bad-rle-plus', 'RLE+ bit field holds a run length of more than 64 bits');
}

class BitWriter {
  readonly #bytes: number[] = [];
  #current = 0;
  #used = 0;

  write(value: number, width: number): void {
    for (let index = 0; index < width; index++) {
      this.#current |= ((value >> index) & 1) << this.#used;
      this.#used++;
      if (this.#used === 8) this.#flush();
    }
  }

  finish(): Uint8Array {
    if (this.#used > 0) this.#flush();
    while (this.#bytes.at(-1) === 0) this.#bytes.pop();
    return Uint8Array.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#current);
    this.#current = 0;
    this.#used = 0;
  }
}

/** Reads zeros past the end, since an encoder leaves trailing zero bytes out. */
class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#position >= this.#bytes.length * 8;
  }

  read(width: number): number {
    let value = 0;
    for (let index = 0; index < width; index++) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      value |= ((byte >> (this.#position & 7)) & 1) << index;
      this.#position++;
    }
    return value;
  }
}
