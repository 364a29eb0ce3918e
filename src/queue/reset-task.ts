import type { Database, Transaction } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';
import { type EndedAttempt, endLiveAttempts, lockTask } from './attempt.ts';
import { viewOf } from './get-task.ts';
import { nowMs } from './sql-time.ts';
import { NOT_STARTED } from './task-state.ts';

/**
 * A task waits again as if it had just been submitted; its live attempts end, and their numbers go on. Null when there is none.
 * @throws CodedError `task-proven`, `task-archived`, `deadline-closed` where that would serve nobody
 */
export async function resetTask(db: Database, id: string): Promise<{ readonly ended: EndedAttempt[] } | null> {
  return await db.transaction(async (trx) => {
    const details = await lockTask(trx, id);
    const task = await viewOf(trx, 'tasks', id);
    if (task === null) {
      if ((await viewOf(trx, 'tasks_archived', id)) === null) return null;
      throw new CodedError('task-archived', `task ${id} is archived; whoever needs it again submits it again`);
    }
    if (task.state === 'proven') {
      throw new CodedError('task-proven', `task ${id} is proven and verified; another proof would serve nobody`);
    }
    if (details !== undefined) await assertOpen(trx, id, details.close_at);
    const ended = await endLiveAttempts(trx, id, { outcome: 'cancelled', reason: 'reset by an operator' });
    await trx.updateTable('tasks').set(NOT_STARTED).where('id', '=', id).execute();
    await trx
      .updateTable('task_details')
      .set({ queued_at: nowMs, retry_at: 0, retry_elsewhere: 0 })
      .where('task_id', '=', id)
      .execute();
    return { ended };
  });
}

async function assertOpen(trx: Transaction, id: string, closeAt: number | null): Promise<void> {
  const { now } = await trx.selectNoFrom(nowMs.as('now')).executeTakeFirstOrThrow();
  if (closeAt === null || closeAt > now) return;
  throw new CodedError('deadline-closed', `the deadline of task ${id} has closed: a proof is worth nothing now`);
}
