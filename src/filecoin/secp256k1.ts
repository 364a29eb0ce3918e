import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/curves/utils.js';
import { CodedError } from '../errors/coded-error.ts';
import { type Address, secp256k1Address } from './address.ts';

const PRIVATE_KEY_BYTES = 32;
const SIGNATURE_BYTES = 65;
const KEY_TYPE = 'secp256k1';

/** 65 bytes, uncompressed. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return secp256k1.getPublicKey(privateKey, false);
}

export function addressOfKey(privateKey: Uint8Array): Address {
  return secp256k1Address(publicKeyOf(privateKey));
}

/** Signs 32 bytes with the nonce of RFC 6979: R, S (low), V, 65 bytes. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' });
  // The library puts V first, Filecoin last.
  return concatBytes(recovered.subarray(1), recovered.subarray(0, 1));
}

/**
 * The address whose key made this signature (R, S, V).
 * @throws CodedError `bad-signature`
 */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): Address {
  try {
    const reordered = concatBytes(signature.subarray(SIGNATURE_BYTES - 1), signature.subarray(0, SIGNATURE_BYTES - 1));
    const compressed = secp256k1.recoverPublicKey(reordered, digest, { prehash: false });
    return secp256k1Address(secp256k1.Point.fromBytes(compressed).toBytes(false));
  } catch (cause) {
    throw new CodedError('bad-signature', 'not a secp256k1 signature of this message', { cause });
  }
}

/** What `lotus wallet import` takes and `lotus wallet export` prints. */
export function formatKeyInfo(privateKey: Uint8Array): string {
  const json = JSON.stringify({ Type: KEY_TYPE, PrivateKey: Buffer.from(privateKey).toString('base64') });
  return Buffer.from(json).toString('hex');
}

/**
 * The private key (32 bytes) of `formatKeyInfo`'s text.
 * @throws CodedError `bad-key`
 */
export function parseKeyInfo(text: string): Uint8Array {
  const bad = (cause?: unknown): CodedError =>
    new CodedError('bad-key', 'not a secp256k1 key as `lotus wallet export` prints it', { cause });
  let info: unknown;
  try {
    info = JSON.parse(Buffer.from(hexToBytes(text)).toString());
  } catch (cause) {
    throw bad(cause);
  }
  if (typeof info !== 'object' || info === null || !('Type' in info) || !('PrivateKey' in info)) throw bad();
  if (info.Type !== KEY_TYPE || typeof info.PrivateKey !== 'string') throw bad();
  const key = hexToBytes(bytesToHex(Buffer.from(info.PrivateKey, 'base64')));
  if (key.length !== PRIVATE_KEY_BYTES) throw bad();
  return key;
}
