import type { SectorInfo } from '../chain/sector-info.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import { commRFromCid } from '../filecoin/cid.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import { provenSectors, type Run, type RunPartition } from './run.ts';

/** Sector number → what the chain says of it. */
export type SectorInfos = ReadonlyMap<number, SectorInfo>;

export function sectorInfo(infos: SectorInfos, number: number): SectorInfo {
  const info = infos.get(number);
  if (info === undefined) throw new CodedError('unknown-sector', `the chain does not know sector ${number}`);
  return info;
}

/**
 * Verifies a proof for the union of these partitions against the given challenge randomness, as the chain's dispute would.
 * @throws CodedError `invalid-proof`
 */
export async function verifyProof(
  verifier: Verifier,
  run: Run,
  partitions: readonly RunPartition[],
  proof: Uint8Array,
  randomness: Uint8Array,
  infos: SectorInfos,
): Promise<void> {
  const sectors = partitions
    .flatMap((partition) => [...provenSectors(partition)])
    .map((sectorId) => ({ sectorId, commR: commRFromCid(sectorInfo(infos, sectorId).sealedCid) }));
  const { valid, reason } = await verifier.verify({
    minerId: run.minerId,
    proofType: poStProofType(run.proofType).name,
    seed: proofSeed(randomness),
    sectors,
    proof,
  });
  if (valid) return;
  const indices = partitions.map((partition) => partition.index).join(', ');
  throw new CodedError(
    'invalid-proof',
    `the proof of deadline ${run.deadline}, partition ${indices} does not verify (${reason ?? 'no reason given'}); ` +
      'nothing was sent: check that prover and manager use the same parameter files',
  );
}
