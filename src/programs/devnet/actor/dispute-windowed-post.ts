import { isOpen } from '../../../filecoin/deadline.ts';
import { disputeWindowedPoStParams } from '../../../filecoin/miner-params.ts';
import { mainnetPolicy, WPOST_DISPUTE_WINDOW } from '../../../filecoin/policy.ts';
import {
  activeSectors,
  type Deadline,
  type MinerState,
  type PostProof,
  sectorUnion,
  upcomingDeadline,
  withDeadline,
} from '../state/miner-state.ts';
import { abort, Exit } from './abort.ts';
import type { ActorContext, ActorResult } from './context.ts';
import { decodeParams } from './decode-params.ts';
import { verifyProof } from './verify-proof.ts';

/** Method 24. Succeeds only against a bad proof, which costs all sectors that it covered. Anyone may send it. */
export async function disputeWindowedPoSt(
  context: ActorContext,
  miner: MinerState,
  encoded: Uint8Array,
): Promise<ActorResult> {
  const { deadline: index, poStIndex } = decodeParams(disputeWindowedPoStParams, encoded);
  const deadline = miner.deadlines[index];
  if (deadline === undefined) {
    throw abort(Exit.illegalArgument, `invalid deadline ${index} of ${mainnetPolicy.periodDeadlines}`);
  }
  const upcoming = upcomingDeadline(miner, index, context.epoch);
  const lastClose = upcoming.close - mainnetPolicy.provingPeriod;
  if (isOpen(upcoming) || context.epoch >= lastClose + WPOST_DISPUTE_WINDOW) {
    const text = `can only dispute window posts during the dispute window (${WPOST_DISPUTE_WINDOW} epochs after the challenge window closes)`;
    throw abort(Exit.forbidden, text);
  }
  const post = deadline.snapshot.proofs[poStIndex];
  if (post === undefined) throw abort(Exit.illegalArgument, `proof ${poStIndex} not found`);

  const challenge = upcoming.challenge - mainnetPolicy.provingPeriod;
  const verdict = await verifyProof(context, miner, challenge, provenBy(deadline, post), post.proof);
  if (verdict.valid) throw abort(Exit.illegalArgument, 'failed to dispute valid post');
  return { miner: withDeadline(miner, index, withoutPost(deadline, post)) };
}

/** The sectors that a recorded proof stands for. */
export function provenBy(deadline: Deadline, post: PostProof) {
  return sectorUnion(
    [...post.partitions].flatMap((number) => deadline.snapshot.partitions[number] ?? []),
    activeSectors,
  );
}

function withoutPost(deadline: Deadline, post: PostProof): Deadline {
  const lost = provenBy(deadline, post);
  return {
    ...deadline,
    partitions: deadline.partitions.map((partition, number) => {
      if (!post.partitions.has(number)) return partition;
      const faulty = lost.intersection(partition.all);
      return {
        ...partition,
        faulty: partition.faulty.union(faulty),
        recovering: partition.recovering.subtract(faulty),
      };
    }),
    snapshot: { ...deadline.snapshot, proofs: deadline.snapshot.proofs.filter((other) => other !== post) },
  };
}
