import type { Verifier } from '../ext-processor/verifier.ts';
import { poStProofType } from '../filecoin/proof-types.ts';

/**
 * Whether proofs of this kind can be verified here: the verifier reads the file of a size when it is first asked, and any verdict shows
 * that the file is good.
 * @param proofType RegisteredPoStProof number
 * @throws CodedError as `Verifier.verify`
 */
export async function checkParameters(verifier: Verifier, minerId: number, proofType: number): Promise<void> {
  await verifier.verify({
    minerId,
    proofType: poStProofType(proofType).name,
    seed: new Uint8Array(32),
    sectors: [{ sectorId: 1, commR: new Uint8Array(32) }],
    proof: new Uint8Array(192),
  });
}
