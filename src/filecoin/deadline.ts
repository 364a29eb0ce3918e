import { concatBytes } from '@noble/curves/utils.js';
import { blake2b } from '@noble/hashes/blake2.js';
import type { Address } from './address.ts';
import { encodeCbor } from './cbor.ts';
import { address as addressCodec } from './codecs.ts';
import { type DeadlinePolicy, mainnetPolicy } from './policy.ts';

/** One proving deadline of one proving period, seen at `currentEpoch`. Epochs may be negative. */
export interface DeadlineInfo {
  readonly policy: DeadlinePolicy;
  readonly currentEpoch: number;
  /** First epoch of the proving period; in the future for a miner's first one. */
  readonly periodStart: number;
  readonly index: number;
  /** First epoch in which a proof can be included. */
  readonly open: number;
  /** First epoch in which it no longer can. */
  readonly close: number;
  /** Epoch of the challenge randomness. */
  readonly challenge: number;
  /** First epoch in which faults and recoveries can no longer be declared. */
  readonly faultCutoff: number;
}

/** An index past the last deadline gives an empty one at the period's end, as dline.NewInfo does. */
export function newDeadline(
  periodStart: number,
  index: number,
  currentEpoch: number,
  policy: DeadlinePolicy = mainnetPolicy,
): DeadlineInfo {
  if (index >= policy.periodDeadlines) {
    const end = periodStart + policy.provingPeriod;
    return { policy, currentEpoch, periodStart, index, open: end, close: end, challenge: end, faultCutoff: 0 };
  }
  const open = periodStart + index * policy.challengeWindow;
  return {
    policy,
    currentEpoch,
    periodStart,
    index,
    open,
    close: open + policy.challengeWindow,
    challenge: open - policy.challengeLookback,
    faultCutoff: open - policy.faultDeclarationCutoff,
  };
}

/** This deadline, or the next one of its index that has not elapsed: what StateMinerProvingDeadline answers. */
export function nextNotElapsed(deadline: DeadlineInfo): DeadlineInfo {
  if (!hasElapsed(deadline)) return deadline;
  const { currentEpoch, close, periodStart, index, policy } = deadline;
  const periods = 1 + Math.floor((currentEpoch - close) / policy.provingPeriod);
  return newDeadline(periodStart + periods * policy.provingPeriod, index, currentEpoch, policy);
}

export const periodStarted = (deadline: DeadlineInfo): boolean => deadline.currentEpoch >= deadline.periodStart;

export const periodElapsed = (deadline: DeadlineInfo): boolean => deadline.currentEpoch >= nextPeriodStart(deadline);

/** Last epoch of the period. */
export const periodEnd = (deadline: DeadlineInfo): number => nextPeriodStart(deadline) - 1;

export const nextPeriodStart = (deadline: DeadlineInfo): number => deadline.periodStart + deadline.policy.provingPeriod;

export const isOpen = (deadline: DeadlineInfo): boolean =>
  deadline.currentEpoch >= deadline.open && deadline.currentEpoch < deadline.close;

export const hasElapsed = (deadline: DeadlineInfo): boolean => deadline.currentEpoch >= deadline.close;

/** Last epoch in which a proof can be included. */
export const lastEpoch = (deadline: DeadlineInfo): number => deadline.close - 1;

/** First epoch after this deadline. */
export const nextOpen = (deadline: DeadlineInfo): number => deadline.close;

export const faultCutoffPassed = (deadline: DeadlineInfo): boolean => deadline.currentEpoch >= deadline.faultCutoff;

/** The epoch, modulo the proving period, at which the periods of a miner start; fixed when the miner is made. */
export function provingPeriodOffset(
  miner: Address,
  creationEpoch: number,
  policy: DeadlinePolicy = mainnetPolicy,
): number {
  const epoch = Buffer.alloc(8);
  epoch.writeBigInt64BE(BigInt(creationEpoch));
  const digest = blake2b(concatBytes(encodeCbor(addressCodec, miner), epoch), { dkLen: 32 });
  return Number(Buffer.from(digest).readBigUInt64BE() % BigInt(policy.provingPeriod));
}

/** The deadline in which `currentEpoch` lies, for a miner whose periods start at `offset`. */
export function deadlineAt(offset: number, currentEpoch: number, policy: DeadlinePolicy = mainnetPolicy): DeadlineInfo {
  const sinceOffset = currentEpoch - offset;
  const periodStart = offset + Math.floor(sinceOffset / policy.provingPeriod) * policy.provingPeriod;
  const index = Math.floor((currentEpoch - periodStart) / policy.challengeWindow);
  return newDeadline(periodStart, index, currentEpoch, policy);
}
