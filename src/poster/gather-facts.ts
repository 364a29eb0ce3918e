import type { TipSet } from '../chain/tipset.ts';
import { idAddress } from '../filecoin/address.ts';
import { type MessageState, messageStates } from '../outbox/message-states.ts';
import type { TaskView } from '../rpc/methods.ts';
import { challengeRandomness } from './challenge.ts';
import type { PosterComponents } from './components.ts';
import type { Facts, MessageFact, PartitionFacts, TaskFact } from './facts.ts';
import type { Run } from './run.ts';

/** What only this process remembers about a run's partitions, by partition index. */
export interface Memory {
  readonly checks: Map<number, NonNullable<PartitionFacts['checks']>>;
  readonly pausedUntil: Map<number, number>;
}

/** Everything `decide` may know. What cannot be read now is left out, so one failing part never holds back another. */
export async function gatherFacts(
  components: PosterComponents,
  run: Run,
  memory: Memory,
  head: TipSet,
): Promise<Facts> {
  const { db, chain, logger } = components;
  const leftOut = (what: string) => (error: unknown) => {
    logger.warn({ err: error, minerId: run.minerId, deadline: run.deadline }, what);
    return undefined;
  };
  const messageIds = [
    ...new Set(run.partitions.flatMap(({ state, messageId }) => (state === 'sending' && messageId ? [messageId] : []))),
  ];
  const [randomness, messages, tasks] = await Promise.all([
    head.height < run.close
      ? challengeRandomness(chain, run.minerId, run.challenge, head.key).catch(leftOut('reading the challenge failed'))
      : undefined,
    messageStates(db, messageIds),
    Promise.all(
      run.partitions.map(async ({ index, state, taskId }) => {
        if (state !== 'proving' || taskId === null) return undefined;
        const view = await components.tasks.get(taskId).catch(leftOut('asking the master failed'));
        return view === undefined ? undefined : ([index, taskFact(view)] as const);
      }),
    ),
  ]);
  const taskOf = new Map(tasks.filter((task) => task !== undefined));
  const failed = [...messages.values()].some((message) => messageFact(message).state === 'failed');
  const posted =
    failed && head.height < run.close
      ? await chain
          .deadlines(idAddress(run.minerId), head.key)
          .then((deadlines) => deadlines[run.deadline]?.postSubmissions)
          .catch(leftOut('reading the posted partitions failed'))
      : undefined;
  const partitions = new Map<number, PartitionFacts>(
    run.partitions.map(({ index, messageId }) => {
      const message = messageId === null ? undefined : messages.get(messageId);
      const checks = memory.checks.get(index);
      const task = taskOf.get(index);
      const pausedUntil = memory.pausedUntil.get(index);
      const facts: PartitionFacts = {
        ...(checks && { checks }),
        ...(task && { task }),
        ...(message && { message: messageFact(message) }),
        ...(posted && { posted: posted.has(index) }),
        ...(pausedUntil !== undefined && { pausedUntil }),
      };
      return [index, facts] as const;
    }),
  );
  return { height: head.height, ...(randomness && { randomness }), partitions };
}

function taskFact(view: TaskView | null): TaskFact {
  if (view === null) return { state: 'failed', reason: 'the master does not know the task any more' };
  switch (view.state) {
    case 'waiting':
    case 'running':
      return { state: 'running' };
    case 'proven': {
      const [proof] = view.output?.proofs ?? [];
      return proof === undefined
        ? { state: 'failed', reason: 'the master calls it proven and has no proof' }
        : { state: 'proven', proof: Buffer.from(proof, 'base64') };
    }
    case 'faulted': {
      const details = new Map(view.output?.details?.map((detail) => [detail.sector_id, detail]));
      return {
        state: 'faulted',
        // A prover that gives no details cannot tell the two apart.
        faults: (view.output?.faults ?? []).map((sector) => ({
          sector,
          class: details.get(sector)?.class ?? 'bad',
          reason: details.get(sector)?.reason ?? 'unreadable',
        })),
      };
    }
    default:
      return { state: 'failed', reason: view.error ?? `the task is ${view.state}` };
  }
}

function messageFact(message: MessageState): MessageFact {
  switch (message.state) {
    case 'landed':
      return { state: 'landed' };
    case 'failed':
    case 'refused':
    case 'expired':
      return { state: 'failed', reason: message.error ?? `the message is ${message.state}` };
    default:
      return { state: 'pending' };
  }
}
