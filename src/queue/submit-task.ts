import { sql } from 'kysely';
import type { Database, Transaction } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { TaskView } from '../rpc/methods.ts';
import { viewOf } from './get-task.ts';
import { type PreparedSubmission, prepareSubmission, type Submission } from './prepare-submission.ts';
import { nowMs, nowSeconds } from './sql-time.ts';
import { NOT_STARTED } from './task-state.ts';

/**
 * Asks for a piece of work. The same work is one row and one answer: a proof is answered from the tables, archived or not; a
 * task that failed, found faults or was cancelled is opened for another attempt; one that waits or runs goes on.
 * @throws CodedError `bad-task`
 */
export async function submitTask(db: Database, submission: Submission): Promise<TaskView> {
  return await submitPrepared(db, prepareSubmission(submission));
}

/** `submitTask` of a submission that was checked. */
export async function submitPrepared(db: Database, submission: PreparedSubmission): Promise<TaskView> {
  const { id, closeAt } = submission;
  return await db.transaction(async (trx) => {
    const known = await viewOf(trx, 'tasks', id);
    if (known?.state === 'proven') return known;
    if (known === null) {
      const archived = await viewOf(trx, 'tasks_archived', id);
      if (archived?.state === 'proven') return archived;
      await openDetails(trx, submission);
      await insertTask(trx, submission);
    } else {
      await reopen(trx, id, closeAt);
    }
    const view = await viewOf(trx, 'tasks', id);
    if (view === null) throw new CodedError('task-archived', `task ${id} was archived just now; submit it again`);
    return view;
  });
}

/** The row may be there: of an archived task, or of another submission of this moment. */
async function openDetails(trx: Transaction, task: PreparedSubmission): Promise<void> {
  const again = { close_at: task.closeAt, queued_at: nowMs, retry_at: 0 };
  await trx
    .insertInto('task_details')
    .values({
      task_id: task.id,
      miner_id: task.minerId,
      proof_type: task.proofType,
      sector_count: task.sectorCount,
      stores: task.stores === null ? null : JSON.stringify(task.stores),
      ...again,
    })
    .onDuplicateKeyUpdate(again)
    .execute();
}

async function insertTask(trx: Transaction, { id, body }: PreparedSubmission): Promise<void> {
  await trx.insertInto('tasks').ignore().values({ id, in_body: body, created_at: nowSeconds }).execute();
}

/** Attempt numbers go on. A task that is not finished only learns its Close, the latest of those who asked. */
async function reopen(trx: Transaction, id: string, closeAt: number | null): Promise<void> {
  if (closeAt !== null) {
    const latest = sql<number>`GREATEST(COALESCE(close_at, 0), ${closeAt})`;
    await trx.updateTable('task_details').set({ close_at: latest }).where('task_id', '=', id).execute();
  }
  const { numUpdatedRows } = await trx
    .updateTable('tasks')
    .set(NOT_STARTED)
    .where('id', '=', id)
    .where('finished_at', 'is not', null)
    .where((where) => where.or([where('out_body', 'is', null), where('error_reason', 'is not', null)]))
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  // What the finished one had does not bind the new one.
  await trx
    .updateTable('task_details')
    .set({ close_at: closeAt, queued_at: nowMs, retry_at: 0 })
    .where('task_id', '=', id)
    .execute();
}
