import { concatBytes } from '@noble/curves/utils.js';
import { blake2b } from '@noble/hashes/blake2.js';

/** Domain separation tags of the chain's randomness. */
export const RandomnessTag = {
  TicketProduction: 1,
  ElectionProofProduction: 2,
  WinningPoStChallengeSeed: 3,
  WindowedPoStChallengeSeed: 4,
  SealRandomness: 5,
  InteractiveSealChallengeSeed: 6,
  WindowedPoStDeadlineAssignment: 7,
  MarketDealCronSeed: 8,
  PoStChainCommit: 9,
} as const;

export type RandomnessTag = (typeof RandomnessTag)[keyof typeof RandomnessTag];

/**
 * Draws 32 bytes for a use of randomness.
 * `base` is a beacon entry's data or the smallest ticket's VRF proof, `entropy` the CBOR of the miner's address or
 * nothing.
 */
export function drawRandomness(base: Uint8Array, tag: RandomnessTag, epoch: number, entropy: Uint8Array): Uint8Array {
  return drawRandomnessFromDigest(blake2b(base, { dkLen: 32 }), tag, epoch, entropy);
}

/** As `drawRandomness`, from the blake2b-256 of the base. */
export function drawRandomnessFromDigest(
  digest: Uint8Array,
  tag: RandomnessTag,
  epoch: number,
  entropy: Uint8Array,
): Uint8Array {
  return blake2b(concatBytes(bigEndianInt64(tag), digest, bigEndianInt64(epoch), entropy), { dkLen: 32 });
}

/** Randomness as the proofs library takes it: below the field's modulus, the two top bits of the last byte cleared. */
export function proofSeed(randomness: Uint8Array): Uint8Array {
  const seed = Uint8Array.from(randomness);
  seed[31] = (seed[31] ?? 0) & 0x3f;
  return seed;
}

function bigEndianInt64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
