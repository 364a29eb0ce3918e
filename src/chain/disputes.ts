import type { DeadlineInfo } from '../filecoin/deadline.ts';
import { WPOST_DISPUTE_WINDOW } from '../filecoin/policy.ts';

// A dispute that succeeds takes its proof out of the list of those that can be disputed, and nothing else does before the deadline
// closes again (builtin actors, miner: DisputeWindowedPoSt; refused while the deadline is open). So a number that fell is a
// dispute, in whatever form its message came.

/** How many proofs of each deadline of a miner can be disputed. */
export interface Disputable {
  /** Closes up to this epoch are counted in. */
  readonly height: number;
  readonly counts: readonly number[];
}

/** Deadlines that lost a proof between two looks. Where a deadline closed between them, its numbers cannot be compared. */
export function disputedDeadlines(before: Disputable, after: Disputable, deadline: DeadlineInfo): number[] {
  return after.counts.flatMap((count, index) => {
    return lastClose(index, after.height, deadline) <= before.height && count < (before.counts[index] ?? 0)
      ? [index]
      : [];
  });
}

/**
 * Epochs between two looks at which to look as well, each a close: so there is a pair to compare of every deadline. None before the
 * time in which proofs can be disputed.
 */
export function looksBetween(before: number, now: number, { periodStart, policy }: DeadlineInfo): number[] {
  const from = Math.max(before, now - WPOST_DISPUTE_WINDOW);
  const first = Math.floor((from - periodStart) / policy.challengeWindow) + 1;
  const looks: number[] = [];
  for (let window = first; ; window++) {
    const height = periodStart + window * policy.challengeWindow;
    if (height >= now) return looks;
    looks.push(height);
  }
}

/** Epochs since any deadline closed. */
export function sinceClose(height: number, { periodStart, policy }: DeadlineInfo): number {
  return height - periodStart - Math.floor((height - periodStart) / policy.challengeWindow) * policy.challengeWindow;
}

/** The epoch of the last close of a deadline up to a height. */
export function lastClose(index: number, height: number, { periodStart, policy }: DeadlineInfo): number {
  const close = periodStart + (index + 1) * policy.challengeWindow;
  return close + Math.floor((height - close) / policy.provingPeriod) * policy.provingPeriod;
}

/** Deadlines for which faults and recoveries could be declared up to an epoch after `before`, and no more at `now`. */
export function cutoffsBetween(before: number, now: number, { periodStart, policy }: DeadlineInfo): number[] {
  const deadlines: number[] = [];
  for (let index = 0; index < policy.periodDeadlines; index++) {
    const cutoff = periodStart + index * policy.challengeWindow - policy.faultDeclarationCutoff;
    const last = cutoff + Math.floor((now - cutoff) / policy.provingPeriod) * policy.provingPeriod;
    if (last > before) deadlines.push(index);
  }
  return deadlines;
}
