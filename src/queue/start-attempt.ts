import type { Database } from '../database/database.ts';
import type { AttemptId } from './attempt.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

export interface StartedAttempt extends AttemptId {
  readonly closeAt: number | null;
  /** JSON of the task. */
  readonly body: Uint8Array;
}

/**
 * Leases a task to a slave; null when somebody was faster. Decided by affected rows of conditional updates alone, so that two
 * masters, and the nodes of a cluster whose locks are their own, agree.
 */
export async function startAttempt(
  db: Database,
  lease: { readonly id: string; readonly slave: string /** The newest attempt known. */; readonly lastAttempt: number },
): Promise<StartedAttempt | null> {
  const { id, slave } = lease;
  const attempt = lease.lastAttempt + 1;
  return await db.transaction(async (trx) => {
    const counted = await trx
      .updateTable('task_details')
      .set({ last_attempt: attempt })
      .where('task_id', '=', id)
      .where('last_attempt', '=', lease.lastAttempt)
      .executeTakeFirst();
    if (counted.numUpdatedRows === 0n) return null;
    const started = await trx
      .updateTable('tasks')
      .set({ started_at: nowSeconds, heartbeat_at: nowSeconds, slave })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .executeTakeFirst();
    if (started.numUpdatedRows === 0n) {
      await trx
        .updateTable('task_details')
        .set({ last_attempt: lease.lastAttempt })
        .where('task_id', '=', id)
        .execute();
      return null;
    }
    await trx
      .insertInto('task_attempts')
      .values({ task_id: id, attempt, slave, started_at: nowMs, heartbeat_at: nowMs, progress_at: nowMs })
      .execute();
    const { in_body, close_at } = await trx
      .selectFrom('tasks')
      .innerJoin('task_details', 'task_id', 'id')
      .select(['in_body', 'close_at'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return { id, attempt, closeAt: close_at, body: in_body };
  });
}
