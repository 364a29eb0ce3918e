import type { TipSet } from '../chain/tipset.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import { messageStates } from '../outbox/message-states.ts';
import { reopenMessage } from '../outbox/reopen-message.ts';
import { withdrawMessage } from '../outbox/withdraw-message.ts';
import type { SectorCopy } from '../stores/sector-check.ts';
import { acceptProof, lookAgain } from './accept-proof.ts';
import type { Action } from './actions.ts';
import { checkInTime } from './check-in-time.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { allCopies, bySector, copiesToText, tellCorrupt } from './corrupt-copies.ts';
import { epochTime } from './epoch-time.ts';
import type { Memory } from './gather-facts.ts';
import { prove } from './prove.ts';
import type { PartitionState, Run, RunPartition } from './run.ts';
import { finishRun, movePartition, type PartitionAt, type PartitionChanges, restartRun } from './run-store.ts';
import type { SectorBook } from './sector-book.ts';
import { submit } from './submit.ts';
import { sectorInfo } from './window-proof.ts';

export interface Setting {
  readonly miner: MinerSettings;
  readonly run: Run;
  readonly memory: Memory;
  readonly head: TipSet;
  /** Aborts at Close, and when the poster stops. */
  readonly signal: AbortSignal;
  /** Height of the newest head. */
  readonly heightNow: () => number;
  readonly book: SectorBook;
  /** Something of this partition failed: it rests before anything else of it is tried. */
  readonly pause: (index: number) => void;
  /** Runs `work` after what was given before, where the miner's tasks are submitted in order. */
  readonly inOrder: (work: () => Promise<void>) => Promise<void>;
}

export async function carryOut(components: PosterComponents, action: Action, setting: Setting): Promise<void> {
  const { clock, db, logger } = components;
  const { run, memory, miner, head, pause } = setting;
  const at = { minerId: run.minerId, deadline: run.deadline, height: head.height };
  const partitionsAt = (...indices: readonly number[]) => run.partitions.filter(({ index }) => indices.includes(index));
  const move = (index: number, from: PartitionState, changes: PartitionChanges) =>
    db.transaction((trx) => movePartition(trx, decidedAt(run, index, from), changes));

  switch (action.kind) {
    case 'restart':
      logger.warn(at, 'challenge changed, proving again');
      for (const kept of Object.values(memory)) kept.clear();
      await restartRun(db, run, action.randomness);
      await Promise.all(run.partitions.map((partition) => cancelTask(components, partition, 'the challenge changed')));
      return;
    case 'check':
      return check(components, action.partition, [...action.sectors], setting);
    case 'prove': {
      const infos = await setting.book.read(partitionsAt(action.partition), head);
      // Asked before its turn comes, so that a slow node is waited for once and not by each in turn.
      const closeAt = epochTime(clock, components.chain, head, run.close);
      closeAt.catch(() => {});
      return setting.inOrder(async () => {
        setting.signal.throwIfAborted();
        const id = await prove(components, run, action, infos, { head, closeAt: await closeAt });
        // The same work is the same task, which may have failed before.
        memory.tasks.delete(id);
        // What is known of 2,349 sectors is some megabytes, and its next use is minutes away: it is read again then.
        memory.checks.delete(action.partition);
        setting.book.forget(action.partition);
      });
    }
    case 'recheck':
      logger.warn(
        { ...at, partition: action.partition, reason: action.reason },
        'attempt to generate window post proof failed',
      );
      memory.checks.delete(action.partition);
      pause(action.partition);
      await move(action.partition, 'proving', {
        state: 'checking',
        task_id: null,
        skipped: Buffer.from(action.skipped.toRlePlus()),
        reason: action.reason,
        ...corruptCopies(components, action, setting),
      });
      return;
    case 'leave-out':
      logger.error({ ...at, partition: action.partition, reason: action.reason }, 'partition left out');
      if (action.from === 'proving') memory.checks.delete(action.partition);
      pause(action.partition);
      await move(action.partition, action.from, {
        state: 'left-out',
        task_id: null,
        reason: action.reason,
        finished_at: clock.now(),
        ...corruptCopies(components, action, setting),
      });
      return;
    case 'accept': {
      for (const partition of partitionsAt(action.partition)) {
        const infos = await setting.book.read([partition], head);
        try {
          await acceptProof(components, miner, { ...action, run, partition, infos, head });
        } catch (error) {
          memory.looksAgain.set(action.partition, setting.heightNow());
          throw error;
        } finally {
          // Refused, it is no answer any more.
          memory.tasks.delete(partition.taskId ?? '');
        }
        tellCorrupt(components, run, partition, []);
      }
      await storeProof(components, { ...action, from: 'proving' }, setting);
      return;
    }
    case 'look-again':
      return again(components, action, setting);
    case 'submit': {
      const infos = await setting.book.read(partitionsAt(...action.partitions), head);
      setting.signal.throwIfAborted();
      await submit(components, miner, run, action.partitions, infos, head);
      for (const index of action.partitions) setting.book.forget(index);
      return;
    }
    case 'reopen':
      return reopen(components, action, setting);
    case 'resend':
      return resend(components, action, setting);
    case 'finish':
      return finish(components, action, setting);
    case 'close':
      await finishRun(db, run.id, clock.now());
      logger.info(at, 'window post finished');
  }
}

async function storeProof(
  { clock, db, logger }: PosterComponents,
  made: Pick<Extract<Action, { kind: 'accept' }>, 'partition' | 'proof' | 'tookMs'> & { readonly from: PartitionState },
  { run, memory, book, head }: Setting,
): Promise<void> {
  const { partition: index, from, proof, tookMs } = made;
  memory.failures.delete(index);
  memory.pausedUntil.delete(index);
  book.forget(index);
  const changes: PartitionChanges = {
    state: 'proven',
    proof: Buffer.from(proof),
    refused_proof: null,
    took_ms: tookMs,
    proven_at: clock.now(),
    finished_at: null,
  };
  await db.transaction((trx) => movePartition(trx, decidedAt(run, index, from), changes));
  const at = { minerId: run.minerId, deadline: run.deadline, height: head.height, partition: index };
  const elapsed = tookMs === null ? {} : { elapsed: `${tookMs / 1000}s` };
  logger.info({ ...at, ...elapsed }, 'computing window post');
  logger.info(at, 'partition batch done');
}

/** Beside all that is done for a new proof, which this must not hold back: a look that fails waits for the next head. */
async function again(
  components: PosterComponents,
  { partition: index, from }: Extract<Action, { kind: 'look-again' }>,
  setting: Setting,
): Promise<void> {
  const { run, miner, head, memory, book, heightNow } = setting;
  const partition = run.partitions.find((one) => one.index === index);
  const proof = partition?.refusedProof ?? null;
  if (partition === undefined || proof === null) return;
  const at = { minerId: run.minerId, deadline: run.deadline, partition: index };
  try {
    const infos = await book.read([partition], head);
    await lookAgain(components, miner, { run, partition, proof, infos, head });
  } catch (err) {
    components.logger.debug({ ...at, err }, 'the refused proof does not verify yet');
    return;
  } finally {
    memory.looksAgain.set(index, heightNow());
  }
  await storeProof(components, { partition: index, from, proof, tookMs: null }, setting);
  components.logger.warn(at, 'the refused proof verifies now');
  await cancelTask(components, partition, 'an earlier proof holds').catch((err: unknown) =>
    components.logger.warn({ ...at, err }, 'the task of a proof that is not needed any more was not cancelled'),
  );
}

async function check(
  components: PosterComponents,
  partition: number,
  numbers: readonly number[],
  setting: Setting,
): Promise<void> {
  const { run, memory, head, signal } = setting;
  const partitions = run.partitions.filter(({ index }) => index === partition);
  const infos = await setting.book.read(partitions, head);
  const corrupt = bySector(partitions.flatMap((one) => one.corrupt));
  const sectors = await checkInTime(components, {
    minerId: run.minerId,
    sectorSize: poStProofType(run.proofType).sectorSize,
    sectors: numbers.map((number) => ({
      number,
      upgraded: sectorInfo(infos, number).sectorKeyCid !== null,
      corrupt: corrupt.get(number) ?? [],
    })),
    signal,
  });
  const before = new Set(
    memory.checks
      .get(partition)
      ?.sectors.map((sector) => sector.verdict !== 'good' && `${sector.number} ${sector.reason}`),
  );
  memory.checks.set(partition, { atEpoch: head.height, endEpoch: setting.heightNow(), sectors });
  const good = sectors.filter((sector) => sector.verdict === 'good').length;
  const at = { minerId: run.minerId, deadline: run.deadline, partition };
  components.logger.warn({ ...at, checked: sectors.length, good }, 'Checked sectors');
  for (const sector of sectors) {
    if (sector.verdict === 'good' || before.has(`${sector.number} ${sector.reason}`)) continue;
    components.logger.warn({ ...at, verdict: sector.verdict }, `bad sector ${sector.number}: ${sector.reason}`);
  }
}

/** What a task found corrupt is kept with the row, so that it is not read again in this run. */
function corruptCopies(
  components: PosterComponents,
  { partition: index, corrupt }: { readonly partition: number; readonly corrupt: readonly SectorCopy[] },
  { run }: Setting,
): PartitionChanges {
  const partition = run.partitions.find((one) => one.index === index);
  if (partition === undefined || corrupt.length === 0) return {};
  tellCorrupt(components, run, partition, corrupt);
  return { corrupt_copies: copiesToText(allCopies(partition.corrupt, corrupt)) };
}

/** Where the message cannot land again, it is made anew from the proof. */
async function reopen(
  { db, logger, onIntent }: PosterComponents,
  { partition: index, from }: Extract<Action, { kind: 'reopen' }>,
  { run, head }: Setting,
): Promise<void> {
  const partition = run.partitions.find((one) => one.index === index);
  const id = partition?.messageId;
  if (partition === undefined || id === undefined || id === null) return;
  await db.transaction(async (trx) => {
    const isOpen = await reopenMessage(trx, id);
    const changes: PartitionChanges = isOpen ? { state: 'sending' } : { state: 'proven', message_id: null };
    await movePartition(trx, decidedAt(run, index, from), { ...changes, finished_at: null });
  });
  logger.warn(
    { minerId: run.minerId, deadline: run.deadline, partition: index, height: head.height, message: id },
    'window post message was reorganised out, delivering it again',
  );
  onIntent();
}

async function resend(
  { db, logger }: PosterComponents,
  action: Extract<Action, { kind: 'resend' }>,
  { run, head, pause }: Setting,
): Promise<void> {
  const { partition: index, from, to, messageLimit, reason } = action;
  const messageId = run.partitions.find((partition) => partition.index === index)?.messageId;
  pause(index);
  await db.transaction(async (trx) => {
    const moved = await movePartition(trx, decidedAt(run, index, from), {
      state: to,
      message_id: null,
      commitment: null,
      message_limit: messageLimit,
      reason,
      finished_at: null,
    });
    if (moved && messageId) await withdrawMessage(trx, messageId);
  });
  logger.warn(
    { minerId: run.minerId, deadline: run.deadline, partition: index, height: head.height, reason },
    from === 'missed'
      ? 'window post goes on, the head went back below Close'
      : 'wait for message result failed, sending again',
  );
}

/** The row as it was decided about: carried out late, or by two, an action changes nothing that came after. */
function decidedAt(run: Run, index: number, from: PartitionState): PartitionAt {
  const partition = run.partitions.find((one) => one.index === index);
  return { runId: run.id, index, from, taskId: partition?.taskId ?? null, messageId: partition?.messageId ?? null };
}

async function cancelTask({ tasks }: PosterComponents, partition: RunPartition, reason: string): Promise<void> {
  if (partition.state === 'proving' && partition.taskId !== null) await tasks.cancel(partition.taskId, reason);
}

async function finish(
  components: PosterComponents,
  action: Extract<Action, { kind: 'finish' }>,
  { run, head }: Setting,
): Promise<void> {
  const { clock, db, logger } = components;
  const partition = run.partitions.find((one) => one.index === action.partition);
  if (partition === undefined) return;
  const changes = { state: action.state, reason: action.reason, finished_at: clock.now() };
  await db.transaction((trx) => movePartition(trx, decidedAt(run, partition.index, partition.state), changes));
  const at = { minerId: run.minerId, deadline: run.deadline, partition: partition.index, height: head.height };
  if (action.state === 'landed') {
    const { messageId } = partition;
    if (action.reason !== null) logger.info({ ...at, message: messageId }, 'partition was proven by another message');
    if (messageId === null || action.reason !== null) return;
    const cid = (await messageStates(db, [messageId])).get(messageId)?.cid ?? messageId;
    logger.info({ ...at, message: messageId }, `window post message succeeded: ${cid}`);
    return;
  }
  if (partition.state === 'sending') logger.error({ ...at, message: partition.messageId }, 'waited too long');
  logger.error({ ...at, reason: action.reason }, 'partition missed');
  await cancelTask(components, partition, 'the deadline closed');
}
