import { Bitfield } from '../filecoin/bitfield.ts';
import { type DeadlineInfo, newDeadline } from '../filecoin/deadline.ts';
import { ADDRESSED_PARTITIONS_MAX, ADDRESSED_SECTORS_MAX } from '../filecoin/policy.ts';

/** Faulty sectors of one partition that may be declared recovered for the deadline's next opening. */
export interface Recoverable {
  readonly deadline: number;
  readonly partition: number;
  /** First epoch of the deadline's next window. */
  readonly open: number;
  readonly sectors: Bitfield;
}

export interface RecoveryLimits {
  /** Sectors in one pass; 0: no limit of the operator's. */
  readonly sectors: number;
  /** Partitions in one message; 0: no limit of the operator's. */
  readonly partitions: number;
}

/** Two hours at mainnet's pace. */
const NEAR_EPOCHS = 240;
const NEAR_RECHECK_EPOCHS = 10;

/** Epochs until the next look at the faulty sectors of a window: the nearer its cutoff, the more it matters. */
export function lookInterval(deadline: DeadlineInfo, height: number): number {
  const untilNear = deadline.open - NEAR_EPOCHS - height;
  return untilNear <= 0 ? NEAR_RECHECK_EPOCHS : Math.min(untilNear, NEAR_EPOCHS);
}

/**
 * For each deadline for which recoveries can be declared now its next window, the nearest first. From its fault cutoff until it
 * closes nothing can be declared for a deadline, not even for the period after; in the epoch of its Close a node may still estimate
 * one epoch behind, and refuse it.
 */
export function declarableDeadlines(current: DeadlineInfo): DeadlineInfo[] {
  const { policy, periodStart, currentEpoch } = current;
  const lookahead = policy.provingPeriod - policy.challengeWindow;
  const periods = [periodStart - policy.provingPeriod, periodStart, periodStart + policy.provingPeriod];
  return periods
    .flatMap((start) =>
      Array.from({ length: policy.periodDeadlines }, (_, index) => newDeadline(start, index, currentEpoch, policy)),
    )
    .filter((deadline) => currentEpoch < deadline.faultCutoff && deadline.open < currentEpoch + lookahead);
}

/**
 * Cuts what was found readable into messages: at most 25,000 sectors and 3,000 partitions each (the actor's limits) and the
 * operator's own; what exceeds the sector limit of a pass is left for the next one.
 */
export function recoveryMessages(found: readonly Recoverable[], limits: RecoveryLimits): Recoverable[][] {
  const perMessage = Math.min(limits.partitions || ADDRESSED_PARTITIONS_MAX, ADDRESSED_PARTITIONS_MAX);
  const messages: Recoverable[][] = [];
  let left = limits.sectors || Number.POSITIVE_INFINITY;
  let sectorsInMessage = 0;
  for (const recoverable of found) {
    const sectors = Bitfield.of([...recoverable.sectors].slice(0, Math.min(left, ADDRESSED_SECTORS_MAX)));
    const count = Number(sectors.count);
    if (count === 0) continue;
    left -= count;
    const message = messages.at(-1);
    if (message === undefined || message.length >= perMessage || sectorsInMessage + count > ADDRESSED_SECTORS_MAX) {
      messages.push([{ ...recoverable, sectors }]);
      sectorsInMessage = count;
    } else {
      message.push({ ...recoverable, sectors });
      sectorsInMessage += count;
    }
  }
  return messages;
}
