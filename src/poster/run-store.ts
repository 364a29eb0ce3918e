import { randomInt } from 'node:crypto';
import { type Selectable, sql, type Updateable } from 'kysely';
import type { Database, Transaction } from '../database/database.ts';
import type { PostPartitionsTable } from '../database/tables/poster.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import { withdrawMessage } from '../outbox/withdraw-message.ts';
import { copiesFromText } from './corrupt-copies.ts';
import type { PartitionState, Run, RunPartition } from './run.ts';
import type { RunState } from './run-state.ts';

/** Ids of a miner's runs that are not finished, oldest first. Uses the key (miner_id, finished_at). */
export async function unfinishedRuns(db: Database, minerId: number): Promise<number[]> {
  const rows = await db.kysely
    .selectFrom('post_runs')
    .select('id')
    .where('miner_id', '=', minerId)
    .where('finished_at', 'is', null)
    .orderBy('open_epoch')
    .execute();
  return rows.map(({ id }) => id);
}

/** Undefined where it is finished, or never was. */
export async function readRun(db: Database, id: number): Promise<Run | undefined> {
  const [run, partitions] = await Promise.all([
    db.kysely
      .selectFrom('post_runs')
      .selectAll()
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .executeTakeFirst(),
    db.kysely.selectFrom('post_partitions').selectAll().where('run_id', '=', id).orderBy('partition_index').execute(),
  ]);
  if (run === undefined) return undefined;
  return {
    id: run.id,
    minerId: run.miner_id,
    periodStart: run.period_start,
    deadline: run.deadline,
    challenge: run.challenge_epoch,
    open: run.open_epoch,
    close: run.close_epoch,
    proofType: run.proof_type,
    randomness: run.randomness,
    partitions: partitions.map(partitionFromRow),
    state: run.state,
    stateReason: run.state_reason,
  };
}

function partitionFromRow(row: Selectable<PostPartitionsTable>): RunPartition {
  return {
    index: row.partition_index,
    state: row.state,
    sectors: Bitfield.fromRlePlus(row.sectors),
    recovering: Bitfield.fromRlePlus(row.recovering),
    skipped: Bitfield.fromRlePlus(row.skipped),
    taskId: row.task_id,
    proof: row.proof,
    messageId: row.message_id,
    messageLimit: row.message_limit,
    commitment: row.commitment,
    provingEpoch: row.proving_epoch,
    corrupt: copiesFromText(row.corrupt_copies),
    refusedProofs: row.refused_proofs,
    refusedProof: row.refused_proof,
  };
}

export async function runExists(
  db: Database,
  key: { minerId: number; periodStart: number; deadline: number },
): Promise<boolean> {
  const row = await db.kysely
    .selectFrom('post_runs')
    .select('id')
    .where('miner_id', '=', key.minerId)
    .where('period_start', '=', key.periodStart)
    .where('deadline', '=', key.deadline)
    .executeTakeFirst();
  return row !== undefined;
}

export type NewRun = Omit<Run, 'id' | 'partitions' | 'state' | 'stateReason'> & {
  /** `isPosted`: the chain has it already. */
  readonly partitions: readonly (Pick<RunPartition, 'index' | 'sectors' | 'recovering'> & {
    readonly isPosted: boolean;
  })[];
};

/** Stores the snapshot whole. A run that is there already stays as it is. */
export async function createRun(db: Database, run: NewRun, now: number): Promise<void> {
  await db.transaction(async (trx) => {
    // Never given twice, also not by a database that begins anew: what is still under way for another run finds none of its rows.
    const id = randomInt(1, 2 ** 48 - 1);
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('post_runs')
      .ignore()
      .values({
        id,
        miner_id: run.minerId,
        period_start: run.periodStart,
        deadline: run.deadline,
        challenge_epoch: run.challenge,
        open_epoch: run.open,
        close_epoch: run.close,
        proof_type: run.proofType,
        randomness: Buffer.from(run.randomness),
        created_at: now,
        finished_at: run.partitions.length === 0 ? now : null,
      })
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows !== 1n || run.partitions.length === 0) return;
    await trx
      .insertInto('post_partitions')
      .values(
        run.partitions.map((partition) => ({
          run_id: id,
          partition_index: partition.index,
          sectors: Buffer.from(partition.sectors.toRlePlus()),
          recovering: Buffer.from(partition.recovering.toRlePlus()),
          skipped: Buffer.alloc(0),
          state: partition.isPosted ? ('landed' as const) : ('checking' as const),
          task_id: null,
          proof: null,
          message_id: null,
          reason: partition.isPosted ? 'already proven on chain' : null,
          proving_at: null,
          proven_at: null,
          finished_at: partition.isPosted ? now : null,
        })),
      )
      .execute();
  });
}

export type PartitionChanges = Updateable<Omit<PostPartitionsTable, 'run_id' | 'partition_index'>>;

/** Names a partition in the state, and with the task or message, that something was decided about. */
export interface PartitionAt {
  readonly runId: number;
  readonly index: number;
  readonly from: PartitionState;
  readonly taskId?: string | null;
  readonly messageId?: string | null;
}

/** Moves a partition from one state to the next; false when it is no longer what `at` says (somebody else moved it). */
export async function movePartition(trx: Transaction, at: PartitionAt, changes: PartitionChanges): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('post_partitions')
    .set(changes)
    .where('run_id', '=', at.runId)
    .where('partition_index', '=', at.index)
    .where('state', '=', at.from)
    .$if(at.taskId !== undefined, (query) => query.where(sql<boolean>`task_id <=> ${at.taskId}`))
    .$if(at.messageId !== undefined, (query) => query.where(sql<boolean>`message_id <=> ${at.messageId}`))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function finishRun(db: Database, runId: number, now: number): Promise<void> {
  await db.transaction((trx) =>
    trx
      .updateTable('post_runs')
      .set({ finished_at: now })
      .where('id', '=', runId)
      .where('finished_at', 'is', null)
      .execute(),
  );
}

export async function storeRunState(db: Database, runId: number, { state, reason }: RunState): Promise<void> {
  await db.transaction((trx) =>
    trx.updateTable('post_runs').set({ state, state_reason: reason }).where('id', '=', runId).execute(),
  );
}

/**
 * Everything starts again for another challenge, and messages under way are withdrawn. What landed stays so unless the chain says
 * otherwise, but loses its proof, so that this is never sent again.
 */
export async function restartRun(db: Database, run: Run, randomness: Uint8Array): Promise<void> {
  const messages = new Set(
    run.partitions.flatMap(({ state, messageId }) => (state === 'sending' && messageId !== null ? [messageId] : [])),
  );
  await db.transaction(async (trx) => {
    for (const id of messages) await withdrawMessage(trx, id);
    await trx
      .updateTable('post_runs')
      .set({ randomness: Buffer.from(randomness) })
      .where('id', '=', run.id)
      .execute();
    await trx
      .updateTable('post_partitions')
      .set({
        state: 'checking',
        task_id: null,
        proof: null,
        refused_proof: null,
        refused_proofs: 0,
        message_id: null,
        commitment: null,
        finished_at: null,
        reason: 'the chain reorganised below the challenge',
      })
      .where('run_id', '=', run.id)
      .where('state', 'in', ['checking', 'proving', 'proven', 'sending', 'left-out'])
      .execute();
    await trx
      .updateTable('post_partitions')
      .set({ proof: null })
      .where('run_id', '=', run.id)
      .where('state', '=', 'landed')
      .execute();
  });
}
