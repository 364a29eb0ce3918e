import { CodedError } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import { commRFromCid } from '../filecoin/cid.ts';
import { sealProofSectorSize, winningPoStProofType } from '../filecoin/proof-types.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import type { StoreChecker } from '../stores/store-checker.ts';
import type { ProofRequest, WinningProof } from './gateway-json.ts';
import type { WinningProver } from './winning-prover.ts';

export interface ProveComponents {
  readonly checker: Pick<StoreChecker, 'check'>;
  readonly prover: Pick<WinningProver, 'prove'>;
  readonly verifier: Pick<Verifier, 'verify'>;
}

export interface ProveInit {
  readonly minerId: number;
  /** Until it is too late. */
  readonly leftMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Finds the sectors, proves and verifies.
 * @throws CodedError `bad-request`, `sector-not-found`, `invalid-proof`, what prover and verifier throw, or the signal's reason
 */
export async function proveRequest(
  { checker, prover, verifier }: ProveComponents,
  { sectors, randomness }: ProofRequest,
  { minerId, leftMs, signal }: ProveInit,
): Promise<WinningProof[]> {
  const [first] = sectors;
  if (first === undefined) throw new CodedError('bad-request', 'the gateway asked for a proof of no sector');
  const { number: proofType, name, sectorSize } = winningPoStProofType(sealProofSectorSize(first.sealProof));
  const checks = await checker.check({ minerId, sectorSize, sectors, signal });
  const replicas = sectors.map(({ number, sealedCid }, index) => {
    const check = checks[index];
    if (check?.verdict !== 'good') {
      throw new CodedError('sector-not-found', `sector ${number} cannot be used: ${check?.reason ?? 'not found'}`);
    }
    const { cacheDir, sealedFile } = check;
    return { sector_id: number, comm_r: [...commRFromCid(sealedCid)], cache_dir: cacheDir, sealed_file: sealedFile };
  });
  const seed = proofSeed(randomness);
  const task = { miner_id: minerId, proof_type: name, replicas, seed: [...seed] };
  const { proofs } = await prover.prove(task, signal, leftMs());
  return await Promise.all(
    proofs.map(async (text) => {
      const proof = Buffer.from(text, 'base64');
      const statement = replicas.map(({ sector_id: sectorId, comm_r }) => ({
        sectorId,
        commR: Uint8Array.from(comm_r),
      }));
      const { valid, reason } = await verifier.verify({ minerId, proofType: name, seed, sectors: statement, proof });
      if (valid) return { proofType, proof };
      throw new CodedError('invalid-proof', `the proof does not verify (${reason ?? 'no reason given'})`);
    }),
  );
}
