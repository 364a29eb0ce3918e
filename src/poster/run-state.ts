import type { Facts, PostPolicy } from './facts.ts';
import { MESSAGE_EPOCHS, proofsLeft } from './reserve.ts';
import { isUnproven, type Run, type RunPartition } from './run.ts';
import { isDoubtful, isTooMuch, wouldSkip } from './share.ts';

/**
 * ok:      everything fits, slow proofs assumed
 * late:    it fits only if the proofs take no longer than usual, or sectors are waited for
 * at-risk: it does not fit at the usual pace, or too much of a partition cannot be read
 * lost:    a partition was missed or left out, or it cannot be included any more
 */
export type RunStateName = 'ok' | 'late' | 'at-risk' | 'lost';

export interface RunState {
  readonly state: RunStateName;
  /** One line for people; null while all is well. */
  readonly reason: string | null;
}

/** Whether a run is on schedule: the time its steps need by what is known of their pace, against the time left. Pure. */
export function runState(run: Run, facts: Facts, policy: PostPolicy): RunState {
  const left = run.close - facts.height;
  const inState = (...states: readonly RunPartition['state'][]) =>
    run.partitions.filter(({ state }) => states.includes(state));
  const over = run.partitions.filter((partition) => isUnreadable(partition, facts, policy));
  const unproven = run.partitions.filter(isUnproven);
  const unsent = [...unproven, ...inState('proven')];

  const lost = [...inState('missed'), ...(left <= 0 ? [...unsent, ...inState('left-out')] : left === 1 ? unsent : [])];
  if (lost.length > 0) return { state: 'lost', reason: `${named(lost)} not proven on chain before Close` };
  if (over.length > 0) {
    return {
      state: 'at-risk',
      reason: `too much of ${named(over)} cannot be read to skip it (MaxSkipShare ${policy.maxSkipShare}); it is not sent unless that changes within ${left} epochs`,
    };
  }
  const waited = run.partitions.filter((partition) => isWaitedFor(partition, facts, policy));
  if (unproven.length > 0) {
    const { expected, slow, slots, ahead } = facts.pace;
    const others = ahead === 0 ? '' : ` after ${ahead} of other deadlines`;
    const reason = `${unproven.length} proofs to make${others} at about ${round(expected)} epochs on ${slots} slots, and the message; ${left} epochs left`;
    if (left < MESSAGE_EPOCHS + proofsLeft(run, facts.pace, expected)) return { state: 'at-risk', reason };
    if (left < MESSAGE_EPOCHS + proofsLeft(run, facts.pace, slow)) return { state: 'late', reason };
  }
  if (left < MESSAGE_EPOCHS) {
    const waiting = inState('proven');
    if (waiting.length > 0)
      return { state: 'at-risk', reason: `${named(waiting)} proven but not sent; ${left} epochs left` };
    const sending = inState('sending');
    if (sending.length > 0)
      return { state: 'late', reason: `the message of ${named(sending)} is not settled; ${left} epochs left` };
  }
  if (waited.length > 0)
    return { state: 'late', reason: `some sectors of ${named(waited)} cannot be read, and are tried again` };
  return { state: 'ok', reason: null };
}

function isWaitedFor(partition: RunPartition, { partitions }: Facts, { maxSkipShare }: PostPolicy): boolean {
  const sectors = partitions.get(partition.index)?.checks?.sectors ?? [];
  const doubtful = sectors.filter(({ verdict }) => verdict !== 'good');
  if (partition.state !== 'checking' || doubtful.length === 0) return false;
  const isUnknown = doubtful.some(({ verdict }) => verdict === 'unknown');
  return isUnknown || isDoubtful(partition, wouldSkip(partition, sectors), maxSkipShare);
}

function isUnreadable(partition: RunPartition, { partitions }: Facts, { maxSkipShare }: PostPolicy): boolean {
  if (partition.state === 'left-out') return true;
  const checks = partitions.get(partition.index)?.checks;
  if (partition.state !== 'checking' || checks === undefined) return false;
  return isTooMuch(partition, wouldSkip(partition, checks.sectors), maxSkipShare);
}

const named = (partitions: readonly RunPartition[]): string =>
  `${partitions.length === 1 ? 'partition' : 'partitions'} ${partitions.map(({ index }) => index).join(', ')}`;

const round = (epochs: number): number => Math.round(epochs * 10) / 10;
