import { equalBytes } from '@noble/curves/utils.js';
import type { DeadlineInfo } from '../../../filecoin/deadline.ts';
import { type SubmitWindowedPoStParams, submitWindowedPoStParams } from '../../../filecoin/miner-params.ts';
import { mainnetPolicy, POSTED_PARTITIONS_MAX } from '../../../filecoin/policy.ts';
import { RandomnessTag } from '../../../filecoin/randomness.ts';
import { currentDeadline, type MinerState, withDeadline } from '../state/miner-state.ts';
import { abort, abortingWith, Exit } from './abort.ts';
import { operators, requireCaller } from './callers.ts';
import type { ActorContext, ActorResult } from './context.ts';
import { decodeParams } from './decode-params.ts';
import { recordProvenSectors } from './proven-sectors.ts';
import { verifyProof } from './verify-proof.ts';

const PROOF_BYTES = 192;

/** Method 5. The order of the checks is the actor's, since the first that fails gives the error. */
export async function submitWindowedPoSt(
  context: ActorContext,
  miner: MinerState,
  encoded: Uint8Array,
): Promise<ActorResult> {
  const params = decodeParams(submitWindowedPoStParams, encoded);
  const { deadline: index, partitions } = params;
  const proof = checkProof(context, miner, params);
  const open = currentDeadline(miner, context.epoch);
  checkTime(context, open, params);

  const stored = miner.deadlines[index];
  if (stored === undefined)
    throw abort(Exit.illegalArgument, `invalid deadline ${index} of ${mainnetPolicy.periodDeadlines}`);
  const recorded = abortingWith(`failed to process post submission for deadline ${index}`, () =>
    recordProvenSectors(stored, partitions),
  );
  if (recorded.proven.isEmpty) throw abort(Exit.illegalArgument, 'cannot prove partitions with no active sectors');
  if (recorded.recovered.isEmpty) {
    const proofs = [...recorded.deadline.proofs, { partitions: recorded.partitions, proof, message: context.message }];
    return { miner: withDeadline(miner, index, { ...recorded.deadline, proofs }) };
  }
  const verdict = await verifyProof(context, miner, open.challenge, recorded.proven, proof);
  if (!verdict.valid) {
    const causedBy =
      verdict.reason === null ? undefined : `crypto::verify_post -- ${verdict.reason} (1: illegal argument)`;
    throw abort(Exit.illegalArgument, 'invalid post was submitted', causedBy);
  }
  return {
    miner: withDeadline(miner, index, recorded.deadline),
    verified: { deadline: index, partitions: [...recorded.partitions], sectors: recorded.proven.count },
  };
}

function checkProof(context: ActorContext, miner: MinerState, params: SubmitWindowedPoStParams): Uint8Array {
  const { proofs, partitions, deadline, chainCommitRand } = params;
  const [proof] = proofs;
  if (proof === undefined || proofs.length !== 1) {
    throw abort(Exit.illegalArgument, `expected exactly one proof, got ${proofs.length}`);
  }
  if (!isAllowed(proof.poStProof)) {
    throw abort(Exit.illegalArgument, `proof type Invalid(${proof.poStProof}) not allowed`);
  }
  if (deadline >= mainnetPolicy.periodDeadlines) {
    throw abort(Exit.illegalArgument, `invalid deadline ${deadline} of ${mainnetPolicy.periodDeadlines}`);
  }
  if (chainCommitRand.length > 32) {
    throw abort(Exit.illegalArgument, `expected at most 32 bytes of randomness, got ${chainCommitRand.length}`);
  }
  requireCaller(context.caller, operators(miner));
  if (proof.poStProof !== miner.proofType.number) {
    throw abort(Exit.illegalArgument, `expected proof of type ${miner.proofType.number}, got ${proof.poStProof}`);
  }
  if (proof.proofBytes.length > PROOF_BYTES * partitions.length) {
    throw abort(Exit.illegalArgument, `expected proof to be smaller than ${PROOF_BYTES * partitions.length} bytes`);
  }
  if (partitions.length > POSTED_PARTITIONS_MAX) {
    throw abort(Exit.illegalArgument, `too many partitions ${partitions.length}, limit ${POSTED_PARTITIONS_MAX}`);
  }
  return proof.proofBytes;
}

/** From network version 19 only the newest window proof types are taken, for the five sector sizes. */
const isAllowed = (number: number): boolean => number >= 10 && number <= 14;

function checkTime(context: ActorContext, open: DeadlineInfo, params: SubmitWindowedPoStParams): void {
  const { epoch } = context;
  const { deadline, chainCommitEpoch, chainCommitRand } = params;
  if (deadline !== open.index) {
    throw abort(Exit.illegalArgument, `invalid deadline ${deadline} at epoch ${epoch}, expected ${open.index}`);
  }
  if (chainCommitEpoch < open.challenge) {
    throw abort(Exit.illegalArgument, `expected chain commit epoch ${chainCommitEpoch} to be after ${open.challenge}`);
  }
  if (chainCommitEpoch >= epoch) {
    throw abort(
      Exit.illegalArgument,
      `chain commit epoch ${chainCommitEpoch} must be less than the current epoch ${epoch}`,
    );
  }
  const drawn = context.randomness.ticket(RandomnessTag.PoStChainCommit, chainCommitEpoch, new Uint8Array());
  if (!equalBytes(drawn, chainCommitRand)) throw abort(Exit.illegalArgument, 'post commit randomness mismatched');
}
