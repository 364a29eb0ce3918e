import { blake2b } from '@noble/hashes/blake2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** Bytes that look random and are the same for the same seed and words on every run. */
export function derive(length: number, ...words: readonly (string | number)[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let block = 0; block * 32 < length; block++) {
    const part = blake2b(utf8ToBytes([...words, block].join('/')), { dkLen: 32 });
    bytes.set(part.subarray(0, length - block * 32), block * 32);
  }
  return bytes;
}
