import { blake2b } from '@noble/hashes/blake2.js';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { CodedError } from '../errors/coded-error.ts';

// Codes of the multicodec table.
const DAG_CBOR = 0x71;
const FIL_COMMITMENT_UNSEALED = 0xf101;
const FIL_COMMITMENT_SEALED = 0xf102;
const SHA2_256_TRUNC254_PADDED = 0x1012;
const POSEIDON_BLS12_381_A2_FC1 = 0xb401;
const BLAKE2B_256 = 0xb220;

const COMMITMENT_BYTES = 32;

/** @throws CodedError `bad-cid` */
export function parseCid(text: string): CID {
  try {
    return CID.parse(text);
  } catch (cause) {
    throw new CodedError('bad-cid', `bad CID ${JSON.stringify(text)}`, { cause });
  }
}

/** @throws CodedError `bad-cid` */
export function cidFromBytes(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes);
  } catch (cause) {
    throw new CodedError('bad-cid', 'bad CID bytes', { cause });
  }
}

/** The CID of a block of the chain: DAG-CBOR, blake2b-256. */
export function blockCid(block: Uint8Array): CID {
  return CID.createV1(DAG_CBOR, Digest.create(BLAKE2B_256, blake2b(block, { dkLen: 32 })));
}

/** A sector's SealedCID from its comm_r (32 bytes). */
export function sealedCid(commR: Uint8Array): CID {
  return commitmentCid(FIL_COMMITMENT_SEALED, POSEIDON_BLS12_381_A2_FC1, commR);
}

/** A sector's or piece's data CID from its comm_d or comm_p (32 bytes). */
export function unsealedCid(commD: Uint8Array): CID {
  return commitmentCid(FIL_COMMITMENT_UNSEALED, SHA2_256_TRUNC254_PADDED, commD);
}

/**
 * comm_r (32 bytes) of a SealedCID.
 * @throws CodedError `bad-commitment-cid`
 */
export function commRFromCid(cid: CID): Uint8Array {
  return commitment(cid, FIL_COMMITMENT_SEALED, POSEIDON_BLS12_381_A2_FC1, 'sealed');
}

/**
 * comm_d (32 bytes) of an unsealed CID.
 * @throws CodedError `bad-commitment-cid`
 */
export function commDFromCid(cid: CID): Uint8Array {
  return commitment(cid, FIL_COMMITMENT_UNSEALED, SHA2_256_TRUNC254_PADDED, 'unsealed');
}

function commitmentCid(codec: number, hash: number, commitmentBytes: Uint8Array): CID {
  if (commitmentBytes.length !== COMMITMENT_BYTES) {
    throw new CodedError('bad-commitment', `a commitment has 32 bytes, this one ${commitmentBytes.length}`);
  }
  return CID.createV1(codec, Digest.create(hash, commitmentBytes));
}

function commitment(cid: CID, codec: number, hash: number, kind: string): Uint8Array {
  const { code, digest } = cid.multihash;
  if (cid.version !== 1 || cid.code !== codec || code !== hash || digest.length !== COMMITMENT_BYTES) {
    throw new CodedError('bad-commitment-cid', `${cid} is not the CID of a sector's ${kind} data`);
  }
  return digest;
}
