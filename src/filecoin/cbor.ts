import { equalBytes } from '@noble/curves/utils.js';
import { decode, encode, Tagged } from 'cborg';
import { CodedError } from '../errors/coded-error.ts';

const CID_TAG = 42;

/**
 * How a type stands in CBOR. `toCbor` gives what cborg encodes; `fromCbor` takes what it decodes, `at` being the path
 * of the value for the error message.
 */
export interface Codec<T> {
  readonly toCbor: (value: T) => unknown;
  readonly fromCbor: (item: unknown, at: string) => T;
}

/** The type that a codec encodes. */
export type Encoded<C> = C extends Codec<infer T> ? T : never;

export function encodeCbor<T>(codec: Codec<T>, value: T): Uint8Array {
  return encode(codec.toCbor(value));
}

/**
 * Reads exactly one value and only in the form in which `encodeCbor` writes it, so that a hash over the bytes is a
 * hash over the value.
 * @throws CodedError `bad-cbor`, and what the parts throw (`bad-address`, `bad-rle-plus`, …)
 */
export function decodeCbor<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const value = codec.fromCbor(decodeItem(bytes), '');
  if (!equalBytes(encodeCbor(codec, value), bytes))
    throw new CodedError('bad-cbor', 'CBOR is not in its canonical form');
  return value;
}

/** CBOR tag 42 around a CID's bytes, which follow a zero byte. */
export function cidItem(cidBytes: Uint8Array): unknown {
  const content = new Uint8Array(cidBytes.length + 1);
  content.set(cidBytes, 1);
  return new Tagged(CID_TAG, content);
}

/** The bytes of the CID in a decoded item, if it is one. */
export function cidBytesOf(item: unknown): Uint8Array | undefined {
  if (!(item instanceof Tagged) || item.tag !== CID_TAG) return undefined;
  const content: unknown = item.value;
  return content instanceof Uint8Array && content[0] === 0 ? content.subarray(1) : undefined;
}

export function badCbor(at: string, wanted: string): CodedError {
  return new CodedError('bad-cbor', `bad CBOR${at === '' ? '' : ` at ${at}`}: ${wanted} expected`);
}

function decodeItem(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      tags: Tagged.preserve(CID_TAG),
    });
  } catch (cause) {
    throw new CodedError('bad-cbor', 'bad CBOR', { cause });
  }
}
