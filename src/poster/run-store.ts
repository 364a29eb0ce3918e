import { randomInt } from 'node:crypto';
import type { Database, Transaction } from '../database/database.ts';
import type { PostPartitionsTable } from '../database/tables/poster.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import type { PartitionState, Run, RunPartition } from './run.ts';

/** Runs of a miner with partitions not finished yet, oldest first. Uses the key (miner_id, finished_at). */
export async function unfinishedRuns(db: Database, minerId: number): Promise<Run[]> {
  const runs = await db.kysely
    .selectFrom('post_runs')
    .selectAll()
    .where('miner_id', '=', minerId)
    .where('finished_at', 'is', null)
    .orderBy('open_epoch')
    .execute();
  if (runs.length === 0) return [];
  const partitions = await db.kysely
    .selectFrom('post_partitions')
    .selectAll()
    .where(
      'run_id',
      'in',
      runs.map((run) => run.id),
    )
    .orderBy('partition_index')
    .execute();
  return runs.map((run) => ({
    id: run.id,
    minerId: run.miner_id,
    periodStart: run.period_start,
    deadline: run.deadline,
    challenge: run.challenge_epoch,
    open: run.open_epoch,
    close: run.close_epoch,
    proofType: run.proof_type,
    randomness: run.randomness,
    partitions: partitions.filter((row) => row.run_id === run.id).map(partitionFromRow),
  }));
}

function partitionFromRow(row: PostPartitionsTable): RunPartition {
  return {
    index: row.partition_index,
    state: row.state,
    sectors: Bitfield.fromRlePlus(row.sectors),
    recovering: Bitfield.fromRlePlus(row.recovering),
    skipped: Bitfield.fromRlePlus(row.skipped),
    taskId: row.task_id,
    proof: row.proof,
    messageId: row.message_id,
    solitary: row.solitary === 1,
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

export type NewRun = Omit<Run, 'id' | 'partitions'> & {
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
          solitary: 0,
          reason: partition.isPosted ? 'already proven on chain' : null,
          proving_at: null,
          proven_at: null,
          finished_at: partition.isPosted ? now : null,
        })),
      )
      .execute();
  });
}

/** Moves a partition from one state to the next; false when it is no longer in `from` (somebody else moved it). */
export async function movePartition(
  trx: Transaction,
  at: { readonly runId: number; readonly index: number; readonly from: PartitionState },
  changes: Partial<Omit<PostPartitionsTable, 'run_id' | 'partition_index'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('post_partitions')
    .set(changes)
    .where('run_id', '=', at.runId)
    .where('partition_index', '=', at.index)
    .where('state', '=', at.from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function finishRun(db: Database, runId: number, now: number): Promise<void> {
  await db.kysely.updateTable('post_runs').set({ finished_at: now }).where('id', '=', runId).execute();
}

/** Everything not sent yet starts again for another challenge; what is under way loses its proof, so that it is never sent again. */
export async function restartRun(db: Database, runId: number, randomness: Uint8Array): Promise<void> {
  await db.transaction(async (trx) => {
    await trx
      .updateTable('post_runs')
      .set({ randomness: Buffer.from(randomness) })
      .where('id', '=', runId)
      .execute();
    await trx
      .updateTable('post_partitions')
      .set({ state: 'checking', task_id: null, proof: null, reason: 'the chain reorganised below the challenge' })
      .where('run_id', '=', runId)
      .where('state', 'in', ['checking', 'proving', 'proven'])
      .execute();
    await trx
      .updateTable('post_partitions')
      .set({ proof: null })
      .where('run_id', '=', runId)
      .where('state', '=', 'sending')
      .execute();
  });
}
