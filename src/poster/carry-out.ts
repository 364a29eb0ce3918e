import type { TipSet } from '../chain/tipset.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import type { Action } from './actions.ts';
import { challengeRandomness } from './challenge.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import type { Memory } from './gather-facts.ts';
import { prove } from './prove.ts';
import type { Run, RunPartition } from './run.ts';
import { finishRun, movePartition, restartRun } from './run-store.ts';
import { submit } from './submit.ts';
import { type SectorInfos, sectorInfo, verifyProof } from './window-proof.ts';

export interface Setting {
  readonly miner: MinerSettings;
  readonly run: Run;
  readonly memory: Memory;
  readonly infos: SectorInfos;
  readonly head: TipSet;
  readonly signal: AbortSignal;
}

/** Epochs between a failure and the next try of the same thing. */
const PAUSE_EPOCHS = 2;

export async function carryOut(components: PosterComponents, action: Action, setting: Setting): Promise<void> {
  const { clock, db, logger } = components;
  const { run, memory, miner, infos, head } = setting;
  const at = { minerId: run.minerId, deadline: run.deadline, height: head.height };
  const move = (index: number, from: 'proving' | 'proven' | 'sending', changes: Parameters<typeof movePartition>[2]) =>
    db.transaction((trx) => movePartition(trx, { runId: run.id, index, from }, changes));
  const pause = (index: number) => memory.pausedUntil.set(index, head.height + PAUSE_EPOCHS);

  switch (action.kind) {
    case 'restart':
      logger.warn(at, 'challenge changed, proving again');
      memory.checks.clear();
      await restartRun(db, run.id, action.randomness);
      await Promise.all(run.partitions.map((partition) => cancelTask(components, partition, 'the challenge changed')));
      return;
    case 'check':
      return check(components, action.partition, [...action.sectors], setting);
    case 'prove':
      return prove(components, run, action, infos, head);
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
      });
      return;
    case 'accept': {
      const partitions = run.partitions.filter((partition) => partition.index === action.partition);
      const randomness = await challengeRandomness(components.chain, miner.address, run.challenge, head.key);
      await verifyProof(components.verifier, run, partitions, action.proof, randomness, infos);
      await move(action.partition, 'proving', {
        state: 'proven',
        proof: Buffer.from(action.proof),
        proven_at: clock.now(),
      });
      logger.info({ ...at, partition: action.partition }, 'partition proven');
      return;
    }
    case 'submit':
      return submit(components, miner, run, action.partitions, infos, head);
    case 'resend':
      logger.warn(
        { ...at, partition: action.partition, reason: action.reason },
        'window post message failed, sending again',
      );
      pause(action.partition);
      await move(action.partition, 'sending', {
        state: action.to,
        message_id: null,
        solitary: action.solitary ? 1 : 0,
        reason: action.reason,
      });
      return;
    case 'finish':
      return finish(components, action, setting);
    case 'close':
      await finishRun(db, run.id, clock.now());
      logger.info(at, 'window post finished');
  }
}

async function check(
  components: PosterComponents,
  partition: number,
  numbers: readonly number[],
  setting: Setting,
): Promise<void> {
  const { run, memory, infos, head, signal } = setting;
  const sectors = await components.checker.check({
    minerId: run.minerId,
    sectorSize: poStProofType(run.proofType).sectorSize,
    sectors: numbers.map((number) => ({ number, upgraded: sectorInfo(infos, number).sectorKeyCid !== null })),
    signal,
  });
  const before = new Set(
    memory.checks
      .get(partition)
      ?.sectors.map((sector) => sector.verdict !== 'good' && `${sector.number} ${sector.reason}`),
  );
  memory.checks.set(partition, { atEpoch: head.height, sectors });
  const good = sectors.filter((sector) => sector.verdict === 'good').length;
  const at = { minerId: run.minerId, deadline: run.deadline, partition };
  components.logger.warn({ ...at, checked: sectors.length, good }, 'Checked sectors');
  for (const sector of sectors) {
    if (sector.verdict === 'good' || before.has(`${sector.number} ${sector.reason}`)) continue;
    components.logger.warn({ ...at, verdict: sector.verdict }, `bad sector ${sector.number}: ${sector.reason}`);
  }
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
  await db.transaction((trx) =>
    movePartition(trx, { runId: run.id, index: partition.index, from: partition.state }, changes),
  );
  const at = { minerId: run.minerId, deadline: run.deadline, partition: partition.index, height: head.height };
  if (action.state === 'landed') {
    logger.info({ ...at, message: partition.messageId }, `window post message succeeded: ${partition.messageId}`);
    return;
  }
  logger.error({ ...at, reason: action.reason }, 'partition missed');
  await cancelTask(components, partition, 'the deadline closed');
}
