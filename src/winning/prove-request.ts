import type { CID } from 'multiformats/cid';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import { commRFromCid } from '../filecoin/cid.ts';
import { sealProofSectorSize, winningPoStProofType } from '../filecoin/proof-types.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import type { GoodSector, SectorCopy } from '../stores/sector-check.ts';
import type { StoreChecker } from '../stores/store-checker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ProofRequest, WinningProof } from './gateway-json.ts';
import type { WinningProver } from './winning-prover.ts';

export interface ProveComponents {
  readonly logger: Logger;
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
 * Finds the sectors, proves and verifies; where a copy gives no proof, with another one.
 * @throws CodedError `bad-request`, `sector-not-found`, `invalid-proof`, what prover and verifier throw, or the signal's reason
 */
export async function proveRequest(
  components: ProveComponents,
  { sectors, randomness }: ProofRequest,
  { minerId, leftMs, signal }: ProveInit,
): Promise<WinningProof[]> {
  const { logger, prover, verifier } = components;
  const [first] = sectors;
  if (first === undefined) throw new CodedError('bad-request', 'the gateway asked for a proof of no sector');
  const { number: proofType, name, sectorSize } = winningPoStProofType(sealProofSectorSize(first.sealProof));
  const seed = proofSeed(randomness);
  const tried: SectorCopy[] = [];
  for (let failure: unknown; ; ) {
    const copies = await findCopies(components, sectors, { minerId, sectorSize, tried, signal }).catch((error) => {
      throw failure ?? error;
    });
    const replicas = copies.map(({ sealedCid, copy: { number, cacheDir, sealedFile } }) => {
      return { sector_id: number, comm_r: [...commRFromCid(sealedCid)], cache_dir: cacheDir, sealed_file: sealedFile };
    });
    try {
      const task = { miner_id: minerId, proof_type: name, replicas, seed: [...seed] };
      const { proofs } = await prover.prove(task, signal, leftMs());
      const statement = replicas.map(({ sector_id, comm_r }) => ({
        sectorId: sector_id,
        commR: Uint8Array.from(comm_r),
      }));
      return await Promise.all(
        proofs.map(async (text) => {
          const proof = Buffer.from(text, 'base64');
          const verdict = await verifier.verify({ minerId, proofType: name, seed, sectors: statement, proof });
          if (verdict.valid) return { proofType, proof };
          const reason = verdict.reason ?? 'no reason given';
          throw new CodedError('invalid-proof', `the proof does not verify (${reason})`);
        }),
      );
    } catch (error) {
      // Which is all that a prover says of a sector that it cannot read.
      if (errorCode(error) !== 'prover-failed') throw error;
      const files = copies.map(({ copy }) => copy.sealedFile);
      logger.warn(
        { minerId, files, reason: errorText(error) },
        'winning post: no proof of this copy, looking for another',
      );
      failure ??= error;
      tried.push(...copies.map(({ copy }) => copy));
    }
  }
}

/** @throws CodedError `sector-not-found`, or the signal's reason */
async function findCopies(
  { checker }: Pick<ProveComponents, 'checker'>,
  sectors: ProofRequest['sectors'],
  init: {
    readonly minerId: number;
    readonly sectorSize: number;
    readonly tried: readonly SectorCopy[];
    readonly signal: AbortSignal;
  },
): Promise<{ readonly sealedCid: CID; readonly copy: GoodSector }[]> {
  const { tried, ...rest } = init;
  const wanted = sectors.map((sector) => ({
    ...sector,
    corrupt: tried.filter(({ number }) => number === sector.number),
  }));
  const checks = await checker.check({ ...rest, sectors: wanted });
  return sectors.map(({ number, sealedCid }, index) => {
    const copy = checks[index];
    if (copy?.verdict === 'good') return { sealedCid, copy };
    throw new CodedError('sector-not-found', `sector ${number} cannot be used: ${copy?.reason ?? 'not found'}`);
  });
}
