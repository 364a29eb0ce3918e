import type { Database } from '../database/database.ts';
import { type EndedAttempt, endLiveAttempts, finishTask, lockTask } from './attempt.ts';
import { CANCELLED } from './task-state.ts';

/** Ends a task that is not finished, and its attempts. `cancelled` is false when there is no such task. */
export async function cancelTask(
  db: Database,
  id: string,
  reason: string,
): Promise<{ readonly cancelled: boolean; readonly ended: readonly EndedAttempt[] }> {
  return await db.transaction(async (trx) => {
    await lockTask(trx, id);
    const cancelled = await finishTask(trx, id, { out_body: null, error_reason: `${CANCELLED}${reason}` });
    const ended = cancelled ? await endLiveAttempts(trx, id, { outcome: 'cancelled', reason }) : [];
    return { cancelled, ended };
  });
}
