import { concatBytes, hexToBytes } from '@noble/curves/utils.js';
import type { CID } from 'multiformats/cid';
import { CodedError } from '../errors/coded-error.ts';
import { type Address, addressFromBytes, addressToBytes } from './address.ts';
import { Bitfield } from './bitfield.ts';
import { badCbor, type Codec, cidBytesOf, cidItem } from './cbor.ts';
import { cidFromBytes } from './cid.ts';

/** As in go-bitfield: a larger field may not stand in a message. */
const MAX_BITFIELD_BYTES = 32 * 1024;
/** As in go-state-types, the byte for the sign included. */
const MAX_BIG_INT_BYTES = 128;

/** A whole number up to 2^53-1 in size; the chain's 64-bit fields hold no larger ones. */
export const int: Codec<number> = {
  toCbor(value) {
    if (!Number.isSafeInteger(value))
      throw new CodedError('number-too-large', `${value} is not a whole number up to 2^53-1`);
    return value;
  },
  fromCbor(item, at) {
    if (typeof item === 'bigint')
      throw new CodedError('number-too-large', `${item} at ${at} is above 2^53-1, which is not supported`);
    if (typeof item !== 'number' || !Number.isSafeInteger(item)) throw badCbor(at, 'a whole number');
    return item;
  },
};

/** A whole number from 0 to 2^53-1. */
export const uint: Codec<number> = {
  toCbor(value) {
    if (value < 0) throw new CodedError('bad-number', `${value} is negative`);
    return int.toCbor(value);
  },
  fromCbor(item, at) {
    const value = int.fromCbor(item, at);
    if (value < 0) throw badCbor(at, 'a number from 0 up');
    return value;
  },
};

export const bool: Codec<boolean> = {
  toCbor: (value) => value,
  fromCbor(item, at) {
    if (typeof item !== 'boolean') throw badCbor(at, 'true or false');
    return item;
  },
};

export const bytes: Codec<Uint8Array> = {
  toCbor: (value) => value,
  fromCbor(item, at) {
    if (!(item instanceof Uint8Array)) throw badCbor(at, 'a byte string');
    return item;
  },
};

/** An amount (attoFIL): a byte string of a sign byte and the big-endian digits, empty for zero. */
export const bigInt: Codec<bigint> = {
  toCbor(value) {
    if (value === 0n) return new Uint8Array();
    const hex = (value < 0n ? -value : value).toString(16);
    const digits = hexToBytes(hex.length % 2 === 0 ? hex : `0${hex}`);
    if (digits.length >= MAX_BIG_INT_BYTES) throw new CodedError('number-too-large', 'an amount has at most 127 bytes');
    return concatBytes(Uint8Array.of(value < 0n ? 1 : 0), digits);
  },
  fromCbor(item, at) {
    const content = bytes.fromCbor(item, at);
    if (content.length === 0) return 0n;
    const sign = content[0];
    if ((sign !== 0 && sign !== 1) || content.length > MAX_BIG_INT_BYTES)
      throw badCbor(at, 'an amount of at most 128 bytes');
    let value = 0n;
    for (const digit of content.subarray(1)) value = (value << 8n) | BigInt(digit);
    return sign === 1 ? -value : value;
  },
};

export const address: Codec<Address> = {
  toCbor: addressToBytes,
  fromCbor: (item, at) => addressFromBytes(bytes.fromCbor(item, at)),
};

export const cid: Codec<CID> = {
  toCbor: (value) => cidItem(value.bytes),
  fromCbor(item, at) {
    const content = cidBytesOf(item);
    if (content === undefined) throw badCbor(at, 'a CID');
    return cidFromBytes(content);
  },
};

export const bitfield: Codec<Bitfield> = {
  toCbor(value) {
    const encoded = value.toRlePlus();
    if (encoded.length > MAX_BITFIELD_BYTES) {
      throw new CodedError(
        'bad-bitfield',
        `bit field takes ${encoded.length} bytes; a message may hold at most ${MAX_BITFIELD_BYTES}`,
      );
    }
    return encoded;
  },
  fromCbor(item, at) {
    const encoded = bytes.fromCbor(item, at);
    if (encoded.length > MAX_BITFIELD_BYTES) throw badCbor(at, 'a bit field of at most 32 KiB');
    return Bitfield.fromRlePlus(encoded);
  },
};

export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    toCbor: (value) => (value === null ? null : inner.toCbor(value)),
    fromCbor: (item, at) => (item === null ? null : inner.fromCbor(item, at)),
  };
}

export function list<T>(inner: Codec<T>): Codec<readonly T[]> {
  return {
    toCbor: (values) => values.map(inner.toCbor),
    fromCbor(item, at) {
      if (!Array.isArray(item)) throw badCbor(at, 'a list');
      return item.map((element: unknown, index) => inner.fromCbor(element, `${at}[${index}]`));
    },
  };
}

/** A struct as the chain writes it: the array of its fields in the order in which they stand here. */
export function tuple<T extends object>(fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<Readonly<T>> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    toCbor: (value) => names.map((name) => fields[name].toCbor(value[name])),
    fromCbor(item, at) {
      if (!Array.isArray(item) || item.length !== names.length) throw badCbor(at, `a list of ${names.length} fields`);
      const entries = names.map((name, index) => [
        name,
        fields[name].fromCbor(item[index], at === '' ? name : `${at}.${name}`),
      ]);
      return Object.fromEntries(entries) as T;
    },
  };
}
