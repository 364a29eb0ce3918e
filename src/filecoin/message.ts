import { concatBytes } from '@noble/curves/utils.js';
import { blake2b } from '@noble/hashes/blake2.js';
import type { CID } from 'multiformats/cid';
import type { Address } from './address.ts';
import { badCbor, type Codec, decodeCbor, encodeCbor } from './cbor.ts';
import { blockCid } from './cid.ts';
import { address, bigInt, bytes, int, tuple, uint } from './codecs.ts';

/** A message of the chain before it is signed; amounts in attoFIL. */
export interface Message {
  readonly version: 0;
  readonly to: Address;
  readonly from: Address;
  readonly nonce: number;
  readonly value: bigint;
  readonly gasLimit: number;
  readonly gasFeeCap: bigint;
  readonly gasPremium: bigint;
  readonly method: number;
  readonly params: Uint8Array;
}

export type SignatureType = 'secp256k1' | 'bls';

export interface Signature {
  readonly type: SignatureType;
  /** 65 bytes R, S, V for secp256k1; 96 for BLS. */
  readonly data: Uint8Array;
}

export interface SignedMessage {
  readonly message: Message;
  readonly signature: Signature;
}

/** The chain's numbers of the signature types. */
export const signatureTypeNumbers = { secp256k1: 1, bls: 2 } as const;

const version: Codec<0> = {
  toCbor: (value) => value,
  fromCbor(item, at) {
    if (item !== 0) throw badCbor(at, 'version 0');
    return item;
  },
};

const message: Codec<Message> = tuple<Message>({
  version,
  to: address,
  from: address,
  nonce: uint,
  value: bigInt,
  gasLimit: int,
  gasFeeCap: bigInt,
  gasPremium: bigInt,
  method: uint,
  params: bytes,
});

const signature: Codec<Signature> = {
  toCbor: ({ type, data }) => concatBytes(Uint8Array.of(signatureTypeNumbers[type]), data),
  fromCbor(item, at) {
    const content = bytes.fromCbor(item, at);
    const type = signatureTypeOf(content[0]);
    if (type === undefined) throw badCbor(at, 'a secp256k1 or BLS signature');
    return { type, data: content.slice(1) };
  },
};

const signedMessage: Codec<SignedMessage> = tuple<SignedMessage>({ message, signature });

export function signatureTypeOf(number: number | undefined): SignatureType | undefined {
  if (number === signatureTypeNumbers.secp256k1) return 'secp256k1';
  return number === signatureTypeNumbers.bls ? 'bls' : undefined;
}

export function encodeMessage(unsigned: Message): Uint8Array {
  return encodeCbor(message, unsigned);
}

/** @throws CodedError `bad-cbor`, `bad-address`, `number-too-large` */
export function decodeMessage(encoded: Uint8Array): Message {
  return decodeCbor(message, encoded);
}

export function encodeSignature(value: Signature): Uint8Array {
  return encodeCbor(signature, value);
}

export function encodeSignedMessage(signed: SignedMessage): Uint8Array {
  return encodeCbor(signedMessage, signed);
}

/** @throws CodedError `bad-cbor`, `bad-address`, `number-too-large` */
export function decodeSignedMessage(encoded: Uint8Array): SignedMessage {
  return decodeCbor(signedMessage, encoded);
}

/** The CID that is signed. */
export function messageCid(unsigned: Message): CID {
  return blockCid(encodeMessage(unsigned));
}

/** The CID by which the chain finds it: of the message alone where a BLS signature is aggregated away. */
export function signedMessageCid(signed: SignedMessage): CID {
  return signed.signature.type === 'bls' ? messageCid(signed.message) : blockCid(encodeSignedMessage(signed));
}

/** The 32 bytes that secp256k1 signs. BLS signs the bytes of `messageCid` itself. */
export function signingDigest(unsigned: Message): Uint8Array {
  return blake2b(messageCid(unsigned).bytes, { dkLen: 32 });
}
