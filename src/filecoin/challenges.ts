import { concatBytes } from '@noble/curves/utils.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** Leaves challenged in each sector. */
const CHALLENGES = 10;
const LEAF_BYTES = 32;

/** The leaves that window PoSt V1_2 challenges in a sector; `seed` is masked (`proofSeed`). */
export function windowChallenges(seed: Uint8Array, sector: number | bigint, sectorSize: number): number[] {
  return leavesFrom(0, seed, sector, sectorSize);
}

/** The same for V1, where they depend on the sector's position in the whole ascending list of the proof. */
export function windowChallengesV1(
  seed: Uint8Array,
  sector: number | bigint,
  sectorSize: number,
  position: number,
): number[] {
  return leavesFrom(position * CHALLENGES, seed, sector, sectorSize);
}

function leavesFrom(firstIndex: number, seed: Uint8Array, sector: number | bigint, sectorSize: number): number[] {
  const leaves = BigInt(sectorSize / LEAF_BYTES);
  return Array.from({ length: CHALLENGES }, (_, n) => {
    const hash = sha256(concatBytes(seed, littleEndianUint64(sector), littleEndianUint64(firstIndex + n)));
    return Number(Buffer.from(hash).readBigUInt64LE() % leaves);
  });
}

function littleEndianUint64(value: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
