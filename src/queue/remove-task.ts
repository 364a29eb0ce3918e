import type { Database } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';
import { lockTask } from './attempt.ts';

/**
 * Forgets a finished task, archived or not. False when there is none. Its details stay until their retention is over, so that the
 * attempt numbers go on should it be asked for again.
 * @throws CodedError `task-unfinished`
 */
export async function removeTask(db: Database, id: string): Promise<boolean> {
  return await db.transaction(async (trx) => {
    await lockTask(trx, id);
    const task = await trx
      .selectFrom('tasks')
      .select(['started_at', 'finished_at'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (task !== undefined && task.finished_at === null) {
      const state = task.started_at === null ? 'waits' : 'runs';
      throw new CodedError('task-unfinished', `task ${id} ${state}: cancel it first, then remove it`);
    }
    const current = await trx.deleteFrom('tasks').where('id', '=', id).executeTakeFirst();
    const archived = await trx.deleteFrom('tasks_archived').where('id', '=', id).executeTakeFirst();
    return current.numDeletedRows + archived.numDeletedRows > 0n;
  });
}
