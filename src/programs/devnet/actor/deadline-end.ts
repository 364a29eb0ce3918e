import { Bitfield } from '../../../filecoin/bitfield.ts';
import { lastEpoch } from '../../../filecoin/deadline.ts';
import {
  currentDeadline,
  type Deadline,
  type MinerState,
  type Partition,
  sectorsToProve,
  withDeadline,
} from '../state/miner-state.ts';

/** A partition that nobody proved in time. */
export interface MissedPost {
  readonly deadline: number;
  readonly partition: number;
}

/**
 * What the chain's cron does to a miner at the end of an epoch: in the last one of a deadline, partitions without a proof become
 * faulty, and recorded proofs can be disputed from then on.
 */
export function endEpoch(
  miner: MinerState,
  epoch: number,
): { readonly miner: MinerState; readonly missed: readonly MissedPost[] } {
  const info = currentDeadline(miner, epoch);
  const deadline = miner.deadlines[info.index];
  if (deadline === undefined || epoch !== lastEpoch(info) || deadline.partitions.length === 0)
    return { miner, missed: [] };
  // Nobody could prove a deadline whose challenge lies before the miner was made; on a real chain no sector is put into it.
  const excused = info.challenge < miner.createdAt;
  const isMissed = (partition: Partition, number: number): boolean =>
    !excused && !deadline.posted.has(number) && !sectorsToProve(partition).isEmpty;
  const missed = deadline.partitions.flatMap((partition, number) =>
    isMissed(partition, number) ? [{ deadline: info.index, partition: number }] : [],
  );
  const partitions = deadline.partitions.map((partition, number) =>
    isMissed(partition, number) ? { ...partition, faulty: partition.all, recovering: Bitfield.empty } : partition,
  );
  const closed: Deadline = {
    partitions,
    posted: Bitfield.empty,
    proofs: [],
    snapshot: { partitions, proofs: deadline.proofs },
  };
  return { miner: withDeadline(miner, info.index, closed), missed };
}
