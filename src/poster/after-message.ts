import type { Action } from './actions.ts';
import type { Facts } from './facts.ts';
import type { Run, RunPartition } from './run.ts';

/** How the outbox begins the error of a message that needs more gas than it may have. */
const GAS_LIMIT = 'gas-limit';
/** A head so far above a landing shows its effect, if it is of the same chain. */
const LANDING_EPOCHS = 3;

/** What becomes of a partition that is sending or landed, while the window is open. */
export function afterMessage(run: Run, partition: RunPartition, facts: Facts): Action[] {
  const { index, state } = partition;
  const { message, posted } = facts.partitions.get(index) ?? {};
  if (state === 'landed') {
    return posted === false ? [deliverAgain(partition, facts)] : [];
  }
  const finish: Action = { kind: 'finish', partition: index, state: 'landed', reason: null };
  if (message?.state === 'landed') {
    if (posted !== false) return [finish];
    // The outbox may know a newer head, or one that was reorganised out: one well above the landing settles it.
    const isSettled = message.height !== undefined && facts.height >= message.height + LANDING_EPOCHS;
    return isSettled ? [deliverAgain(partition, facts)] : [];
  }
  if (message?.state !== 'failed') {
    if (posted !== false || !isStale(partition, facts)) return [];
    return [resend(partition, partition.messageLimit, 'the chain reorganised below the challenge')];
  }
  // Asked before anything is sent again: another message, or the reorganised-out one, may have done it.
  if (posted === undefined) return [];
  if (posted) return [{ ...finish, reason: 'already proven on chain' }];
  return [resend(partition, limitAfter(run, partition, facts, message.reason), message.reason)];
}

/** The head went back below Close after the partition was given up, so there is time again. */
export function afterMiss(run: Run, partition: RunPartition, facts: Facts): Action[] {
  const { posted } = facts.partitions.get(partition.index) ?? {};
  if (posted === true) {
    const reason = 'already proven on chain';
    return [{ kind: 'finish', partition: partition.index, state: 'landed', reason }];
  }
  if (posted === undefined && facts.height >= run.open) return [];
  return [resend(partition, partition.messageLimit, 'the deadline is open again')];
}

function deliverAgain(partition: RunPartition, facts: Facts): Action {
  if (partition.messageId !== null && partition.proof !== null && !isStale(partition, facts))
    return { kind: 'reopen', partition: partition.index, from: partition.state };
  return resend(partition, partition.messageLimit, 'the chain reorganised, and has it no more');
}

/** The message commits to a chain that is no more: it is refused wherever it lands. */
function isStale({ commitment }: RunPartition, facts: Facts): boolean {
  return commitment !== null && facts.commitment !== undefined && !Buffer.from(commitment).equals(facts.commitment);
}

/** A message too dear is halved; where one of its partitions was proven already that was the trouble; else each goes alone. */
function limitAfter(run: Run, partition: RunPartition, facts: Facts, reason: string): number {
  const mates = run.partitions.filter(({ messageId }) => messageId === partition.messageId);
  if (mates.length === 1) return partition.messageLimit;
  if (reason.startsWith(GAS_LIMIT)) return Math.ceil(mates.length / 2);
  return mates.some(({ index }) => facts.partitions.get(index)?.posted === true) ? partition.messageLimit : 1;
}

function resend(partition: RunPartition, messageLimit: number, reason: string): Action {
  return {
    kind: 'resend',
    partition: partition.index,
    from: partition.state,
    // Without a proof: the challenge changed while it was under way, or another manager had sent it.
    to: partition.proof === null ? 'checking' : 'proven',
    messageLimit,
    reason,
  };
}
