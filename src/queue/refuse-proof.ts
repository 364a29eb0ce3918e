import { sql } from 'kysely';
import type { Database, Transaction } from '../database/database.ts';
import { lockTask } from './attempt.ts';
import { viewOf } from './get-task.ts';
import { isProof } from './is-proof.ts';
import { nowMs } from './sql-time.ts';
import { storableReason } from './storable-reason.ts';
import { NOT_STARTED, REFUSED } from './task-state.ts';

export interface Refusal {
  readonly id: string;
  readonly proof: Uint8Array;
  readonly reason: string;
}

/**
 * Only a proof that holds is an answer: one that whoever asked for it could not verify is forgotten, and its task waits for another
 * attempt, of another slave first. An archived task fails, and is opened when it is submitted again. False where the task has another
 * proof, or none.
 * @param pauseMs for the slave that made it
 */
export async function refuseProof(db: Database, refusal: Refusal, pauseMs: number): Promise<boolean> {
  const { id, proof } = refusal;
  return await db.transaction(async (trx) => {
    await lockTask(trx, id);
    const task = await viewOf(trx, 'tasks', id);
    if (task === null) return await refuseArchived(trx, refusal);
    if (!isProof(task, proof)) return false;
    await trx.updateTable('tasks').set(NOT_STARTED).where('id', '=', id).execute();
    await trx
      .updateTable('task_details')
      .set({ queued_at: nowMs, retry_elsewhere: 1, retry_at: sql<number>`${nowMs} + ${pauseMs}` })
      .where('task_id', '=', id)
      .execute();
    await sayWhy(trx, refusal);
    return true;
  });
}

async function refuseArchived(trx: Transaction, refusal: Refusal): Promise<boolean> {
  const { id, proof, reason } = refusal;
  const task = await viewOf(trx, 'tasks_archived', id);
  if (task === null || !isProof(task, proof)) return false;
  await storableReason(`${REFUSED}${reason}`, (text) =>
    trx.updateTable('tasks_archived').set({ out_body: null, error_reason: text }).where('id', '=', id).execute(),
  );
  await sayWhy(trx, refusal);
  return true;
}

/** In the history of its attempts. */
async function sayWhy(trx: Transaction, { id, reason }: Refusal): Promise<void> {
  await trx
    .updateTable('task_attempts')
    .set({ outcome: 'failed', reason: `${REFUSED}${reason}` })
    .where('task_id', '=', id)
    .where('outcome', '=', 'proven')
    .execute();
}
