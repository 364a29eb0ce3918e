import type { Database, Transaction } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { TaskView } from '../rpc/methods.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import { viewOf } from './get-task.ts';
import { nowMs, nowSeconds } from './sql-time.ts';
import { canonicalTask, parseTask, taskId } from './window-post-task.ts';

export interface Submission {
  /** A WindowPostTask, not checked yet. */
  readonly task: unknown;
  /** When the result is worthless, milliseconds since 1970; null: never. */
  readonly closeAt: number | null;
}

/**
 * Asks for a piece of work. The same work is one row and one answer: a proof is answered from the tables, archived or not; a
 * task that failed, found faults or was cancelled is opened for another attempt; one that waits or runs goes on.
 * @throws CodedError `bad-task`
 */
export async function submitTask(db: Database, submission: Submission): Promise<TaskView> {
  const task = parseTask(submission.task);
  const body = canonicalTask(task);
  const id = taskId(body);
  return await db.transaction(async (trx) => {
    const known = await viewOf(trx, 'tasks', id);
    if (known?.state === 'proven') return known;
    if (known === null) {
      const archived = await viewOf(trx, 'tasks_archived', id);
      if (archived?.state === 'proven') return archived;
      await openDetails(trx, id, task, submission.closeAt);
      await insertTask(trx, id, body);
    } else {
      await reopen(trx, id, submission.closeAt);
    }
    const view = await viewOf(trx, 'tasks', id);
    if (view === null) throw new CodedError('task-archived', `task ${id} was archived just now; submit it again`);
    return view;
  });
}

/** The row may be there: of an archived task, or of another submission of this moment. */
async function openDetails(trx: Transaction, id: string, task: WindowPostTask, closeAt: number | null): Promise<void> {
  const again = { close_at: closeAt, queued_at: nowMs, retry_at: 0 };
  await trx
    .insertInto('task_details')
    .values({
      task_id: id,
      miner_id: task.miner_id,
      proof_type: task.proof_type,
      sector_count: new Set(task.replicas.map((replica) => replica.sector_id)).size,
      ...again,
    })
    .onDuplicateKeyUpdate(again)
    .execute();
}

async function insertTask(trx: Transaction, id: string, body: Uint8Array): Promise<void> {
  await trx
    .insertInto('tasks')
    .ignore()
    .values({ id, in_body: Buffer.from(body), created_at: nowSeconds })
    .execute();
}

/** Attempt numbers go on. A task that is not finished only learns its Close. */
async function reopen(trx: Transaction, id: string, closeAt: number | null): Promise<void> {
  if (closeAt !== null) {
    await trx.updateTable('task_details').set({ close_at: closeAt }).where('task_id', '=', id).execute();
  }
  const { numUpdatedRows } = await trx
    .updateTable('tasks')
    .set({
      started_at: null,
      finished_at: null,
      heartbeat_at: null,
      retry_count: 0,
      error_reason: null,
      out_body: null,
    })
    .where('id', '=', id)
    .where('finished_at', 'is not', null)
    .where((where) => where.or([where('out_body', 'is', null), where('error_reason', 'is not', null)]))
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  await trx.updateTable('task_details').set({ queued_at: nowMs, retry_at: 0 }).where('task_id', '=', id).execute();
}
