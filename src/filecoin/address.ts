import { concatBytes, equalBytes } from '@noble/curves/utils.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { base32 } from 'multiformats/bases/base32';
import { CodedError } from '../errors/coded-error.ts';
import { decodeUvarint, encodeUvarint } from './uvarint.ts';

/** 0 actor id, 1 secp256k1 key, 2 actor, 3 BLS key, 4 delegated. */
type AddressProtocol = 0 | 1 | 2 | 3 | 4;

/** The letter in front of a printed address: `f` on mainnet, `t` on every other network. Both are read everywhere. */
export type NetworkPrefix = 'f' | 't';

/** Protocol and payload; made by the functions of this file only, which check them. */
export interface Address {
  readonly protocol: AddressProtocol;
  readonly payload: Uint8Array;
}

const PAYLOAD_BYTES = { 1: 20, 2: 20, 3: 48 } as const;
const CHECKSUM_BYTES = 4;
const MAX_SUBADDRESS_BYTES = 54;
const MAX_INT63 = 2n ** 63n - 1n;
const MAX_INT63_DIGITS = 19;
const PROVER_ID_BYTES = 32;

/**
 * Reads an address as text. As in the reference library leading zeros of an id or a namespace are read, and never
 * printed; the undefined address (empty text or `<empty>`) is refused.
 * @throws CodedError `bad-address`
 */
export function parseAddress(text: string): Address {
  const bad = (why: string): CodedError => new CodedError('bad-address', `bad address ${JSON.stringify(text)}: ${why}`);
  if (!/^[ft][0-4]/.test(text)) throw bad('it must start with f or t and a protocol from 0 to 4');
  const protocol = Number(text[1]) as AddressProtocol;
  const body = text.slice(2);
  if (protocol === 0) {
    const id = parseInt63(body);
    if (id === undefined) throw bad('an id is a decimal number below 2^63');
    return { protocol, payload: encodeUvarint(id) };
  }
  const split = protocol === 4 ? body.indexOf('f') : -1;
  const namespace = protocol === 4 ? parseInt63(body.slice(0, Math.max(split, 0))) : undefined;
  if (protocol === 4 && namespace === undefined) throw bad('the namespace must be a decimal number below 2^63');
  const decoded = decodeBase32(body.slice(split + 1));
  if (decoded === undefined) throw bad('it is not lower-case base32');
  if (decoded.length < CHECKSUM_BYTES) throw bad('it is too short');
  const content = decoded.subarray(0, -CHECKSUM_BYTES);
  const address = checked(protocol, namespace === undefined ? content : concatBytes(encodeUvarint(namespace), content));
  if (address === undefined) throw bad('it has a wrong length');
  if (!equalBytes(checksum(address), decoded.subarray(-CHECKSUM_BYTES)))
    throw bad('the checksum does not match; check for a typing error');
  return address;
}

export function formatAddress(address: Address, network: NetworkPrefix = 't'): string {
  const { protocol, payload } = address;
  if (protocol === 0) return `${network}0${actorId(address)}`;
  if (protocol === 4) {
    const { value, length } = decodeUvarint(payload);
    return `${network}4${value}f${encodeBase32(concatBytes(payload.subarray(length), checksum(address)))}`;
  }
  return `${network}${protocol}${encodeBase32(concatBytes(payload, checksum(address)))}`;
}

/** @throws CodedError `bad-address` */
export function addressFromBytes(bytes: Uint8Array): Address {
  const protocol = bytes[0];
  const address = isProtocol(protocol) ? checked(protocol, bytes.slice(1)) : undefined;
  if (address === undefined) throw new CodedError('bad-address', 'bad address bytes: unknown protocol or wrong length');
  return address;
}

/** One byte of protocol, then the payload. */
export function addressToBytes(address: Address): Uint8Array {
  return concatBytes(Uint8Array.of(address.protocol), address.payload);
}

/** @throws CodedError `bad-address` for an id below 0 or above 2^63-1. */
export function idAddress(id: bigint | number): Address {
  const value = BigInt(id);
  if (value < 0n || value > MAX_INT63)
    throw new CodedError('bad-address', `actor id ${value} is not between 0 and 2^63-1`);
  return { protocol: 0, payload: encodeUvarint(value) };
}

/** @throws CodedError `not-an-id-address` for an address that is no actor id; the chain resolves it (StateLookupID). */
export function actorId(address: Address): bigint {
  if (address.protocol !== 0) {
    throw new CodedError('not-an-id-address', `${formatAddress(address)} is not an id address (f0… or t0…)`);
  }
  return decodeUvarint(address.payload).value;
}

/** The key address of a secp256k1 public key (65 bytes, uncompressed). */
export function secp256k1Address(publicKey: Uint8Array): Address {
  return { protocol: 1, payload: blake2b(publicKey, { dkLen: PAYLOAD_BYTES[1] }) };
}

export function sameAddress(left: Address, right: Address): boolean {
  return left.protocol === right.protocol && equalBytes(left.payload, right.payload);
}

/** The 32 bytes by which the proofs library knows a miner: its id address' payload, padded with zeros. */
export function proverId(miner: Address): Uint8Array {
  const bytes = new Uint8Array(PROVER_ID_BYTES);
  bytes.set(encodeUvarint(actorId(miner)));
  return bytes;
}

function checked(protocol: AddressProtocol, payload: Uint8Array): Address | undefined {
  return validPayload(protocol, payload) ? { protocol, payload } : undefined;
}

function validPayload(protocol: AddressProtocol, payload: Uint8Array): boolean {
  if (protocol !== 0 && protocol !== 4) return payload.length === PAYLOAD_BYTES[protocol];
  try {
    const { value, length } = decodeUvarint(payload);
    const rest = payload.length - length;
    return value <= MAX_INT63 && rest <= (protocol === 0 ? 0 : MAX_SUBADDRESS_BYTES);
  } catch {
    return false;
  }
}

function isProtocol(value: number | undefined): value is AddressProtocol {
  return value !== undefined && value <= 4;
}

function checksum(address: Address): Uint8Array {
  return blake2b(addressToBytes(address), { dkLen: CHECKSUM_BYTES });
}

function parseInt63(text: string): bigint | undefined {
  if (!/^[0-9]+$/.test(text) || text.length > MAX_INT63_DIGITS) return undefined;
  const value = BigInt(text);
  return value <= MAX_INT63 ? value : undefined;
}

function encodeBase32(bytes: Uint8Array): string {
  return base32.encoder.baseEncode(bytes);
}

/** Bits left over must be zero and padding is refused, so that an address has one spelling. */
function decodeBase32(text: string): Uint8Array | undefined {
  if (!/^[a-z2-7]*$/.test(text)) return undefined;
  try {
    return base32.decoder.baseDecode(text);
  } catch {
    return undefined;
  }
}
