import type { Database, Transaction } from '../database/database.ts';
import { type EndedAttempt, endLiveAttempts, finishTask, lockTask } from './attempt.ts';
import { nowMs } from './sql-time.ts';
import { CANCELLED, CLOSED } from './task-state.ts';

export interface Cancellation {
  /** False when there is no such task. */
  readonly cancelled: boolean;
  readonly ended: readonly EndedAttempt[];
}

/** Ends a task that is not finished, and its attempts. */
export async function cancelTask(db: Database, id: string, reason: string): Promise<Cancellation> {
  return await db.transaction(async (trx) => {
    await lockTask(trx, id);
    return await cancel(trx, id, reason);
  });
}

/** The same, where its Close has passed by the row and by the database's clock, whatever memory and our clock made of it. */
export async function closeTask(db: Database, id: string): Promise<Cancellation> {
  return await db.transaction(async (trx) => {
    const past = await trx
      .selectFrom('task_details')
      .select('task_id')
      .where('task_id', '=', id)
      .where('close_at', '<=', nowMs)
      .forUpdate()
      .executeTakeFirst();
    return past === undefined ? { cancelled: false, ended: [] } : await cancel(trx, id, CLOSED);
  });
}

async function cancel(trx: Transaction, id: string, reason: string): Promise<Cancellation> {
  const cancelled = await finishTask(trx, id, { out_body: null, error_reason: `${CANCELLED}${reason}` });
  const ended = cancelled ? await endLiveAttempts(trx, id, { outcome: 'cancelled', reason }) : [];
  return { cancelled, ended };
}
