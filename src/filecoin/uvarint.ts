import { CodedError } from '../errors/coded-error.ts';

/** Unsigned LEB128 in as few bytes as possible. */
export function encodeUvarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/**
 * Reads the varint at the start of `bytes`; `length` is the number of bytes it took.
 * @throws CodedError `bad-varint` when it is cut short or padded.
 */
export function decodeUvarint(bytes: Uint8Array): { value: bigint; length: number } {
  let value = 0n;
  for (const [index, byte] of bytes.entries()) {
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) {
      if (byte === 0 && index > 0) break;
      return { value, length: index + 1 };
    }
  }
  throw new CodedError('bad-varint', 'varint is cut short or padded');
}
