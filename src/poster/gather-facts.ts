import { type MessageState, messageStates } from '../outbox/message-states.ts';
import type { PosterComponents } from './components.ts';
import type { Facts, MessageFact, PartitionFacts, TaskFact } from './facts.ts';
import type { HeadFacts } from './head-facts.ts';
import type { Run } from './run.ts';
import { taskFact } from './task-fact.ts';

/** What only this process remembers about a run, by partition index where nothing else is said. */
export interface Memory {
  readonly checks: Map<number, NonNullable<PartitionFacts['checks']>>;
  readonly pausedUntil: Map<number, number>;
  /** Failures in a row since a partition last got on. */
  readonly failures: Map<number, number>;
  /** Of the head when a refused proof was last looked at. */
  readonly looksAgain: Map<number, number>;
  /** Task id → what the master said since it last told of a change. */
  readonly tasks: Map<string, TaskFact>;
}

/**
 * Everything `decide` may know. What cannot be read now is left out, so one failing part never holds back another; then it is not
 * complete, and asked for again soon.
 */
export async function gatherFacts(
  { db, tasks, logger }: PosterComponents,
  run: Run,
  memory: Memory,
  atHead: HeadFacts,
): Promise<{ readonly facts: Facts; readonly isComplete: boolean }> {
  const { height } = atHead.head;
  const isBeforeClose = height < run.close;
  const isSent = run.partitions.some(({ state }) => state === 'sending' || state === 'landed' || state === 'missed');
  const messageIds = new Set(
    run.partitions.flatMap(({ state, messageId }) => (state === 'sending' && messageId ? [messageId] : [])),
  );
  const unanswered: string[] = [];
  const [randomness, commitment, posted, pace, messages, asked] = await Promise.all([
    isBeforeClose ? atHead.challenge(run) : undefined,
    isBeforeClose && isSent ? atHead.commitment(run) : undefined,
    isBeforeClose && isSent && height >= run.open ? atHead.posted(run) : undefined,
    atHead.pace(run),
    messageStates(db, [...messageIds]),
    Promise.all(
      run.partitions.map(async ({ index, state, taskId }) => {
        if (state !== 'proving' || taskId === null) return undefined;
        try {
          const task = memory.tasks.get(taskId) ?? taskFact(await tasks.get(taskId));
          memory.tasks.set(taskId, task);
          return [index, task] as const;
        } catch (err) {
          logger.warn({ err, minerId: run.minerId, deadline: run.deadline }, 'asking the master failed');
          unanswered.push(taskId);
          return undefined;
        }
      }),
    ),
  ]);
  const onChain = isBeforeClose ? new Map<string, boolean>() : await executedMessages(run, messages, atHead);
  const taskOf = new Map(asked.filter((task) => task !== undefined));
  const partitions = new Map<number, PartitionFacts>(
    run.partitions.map(({ index, messageId }) => {
      const message = messageId === null ? undefined : messages.get(messageId);
      const checks = memory.checks.get(index);
      const task = taskOf.get(index);
      const pausedUntil = memory.pausedUntil.get(index);
      const lookedAgainAt = memory.looksAgain.get(index);
      const isPosted = posted?.has(index) ?? onChain.get(messageId ?? '');
      const facts: PartitionFacts = {
        ...(checks && { checks }),
        ...(task && { task }),
        ...(message && { message: messageFact(message) }),
        ...(isPosted !== undefined && { posted: isPosted }),
        ...(lookedAgainAt !== undefined && { lookedAgainAt }),
        ...(pausedUntil !== undefined && { pausedUntil }),
      };
      return [index, facts] as const;
    }),
  );
  return {
    facts: { height, ...(randomness && { randomness }), ...(commitment && { commitment }), pace, partitions },
    isComplete: unanswered.length === 0 && atHead.isComplete,
  };
}

/** Of the messages that the outbox says landed: whether this head's chain has executed them; left out where it did not answer. */
async function executedMessages(
  run: Run,
  messages: ReadonlyMap<string, MessageState>,
  atHead: HeadFacts,
): Promise<Map<string, boolean>> {
  const landed = [...messages].filter(([, { state }]) => state === 'landed');
  const answers = await Promise.all(
    landed.map(async ([id, { cid }]) => [id, cid === null ? true : await atHead.isExecuted(run, cid)] as const),
  );
  return new Map(answers.flatMap(([id, answer]) => (answer === undefined ? [] : [[id, answer] as const])));
}

function messageFact(message: MessageState): MessageFact {
  switch (message.state) {
    case 'landed':
      return { state: 'landed', ...(message.height !== null && { height: message.height }) };
    case 'failed':
    case 'refused':
    case 'expired':
      return { state: 'failed', reason: message.error ?? `the message is ${message.state}` };
    default:
      return { state: 'pending' };
  }
}
