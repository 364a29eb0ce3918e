import { concatBytes } from '@noble/curves/utils.js';
import { sha256 } from '@noble/hashes/sha2.js';

const LEAF_BYTES = 32;

/** comm_d of a sector (or piece) of zeros: the root of its binary SHA-256 tree, each node cut to 254 bits. */
export function zeroCommitment(size: number): Uint8Array {
  let node: Uint8Array = new Uint8Array(LEAF_BYTES);
  for (let covered = LEAF_BYTES; covered < size; covered *= 2) {
    node = sha256(concatBytes(node, node));
    node[31] = (node[31] ?? 0) & 0x3f;
  }
  return node;
}
