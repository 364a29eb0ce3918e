import type { Action } from './actions.ts';
import type { Facts } from './facts.ts';
import type { Run, RunPartition } from './run.ts';

/** How the outbox begins the error of a message that needs more gas than it may have. */
const GAS_LIMIT = 'gas-limit';

/** What becomes of a partition that is sending or landed, while the window is open. */
export function afterMessage(run: Run, partition: RunPartition, facts: Facts): Action[] {
  const { index, state } = partition;
  const { message, posted } = facts.partitions.get(index) ?? {};
  if (state === 'landed') {
    if (posted !== false) return [];
    if (partition.messageId !== null && partition.proof !== null && !isStale(partition, facts))
      return [{ kind: 'reopen', partition: index }];
    return [resend(partition, partition.messageLimit, 'the chain reorganised, and has it no more')];
  }
  const finish: Action = { kind: 'finish', partition: index, state: 'landed', reason: null };
  // The outbox may know a newer head, or one that was reorganised out: the next one settles it.
  if (message?.state === 'landed') return posted === false ? [] : [finish];
  if (message?.state !== 'failed') {
    if (posted !== false || !isStale(partition, facts)) return [];
    return [resend(partition, partition.messageLimit, 'the chain reorganised below the challenge')];
  }
  // Asked before anything is sent again: another message, or the reorganised-out one, may have done it.
  if (posted === undefined) return [];
  if (posted) return [{ ...finish, reason: 'already proven on chain' }];
  return [resend(partition, limitAfter(run, partition, facts, message.reason), message.reason)];
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
