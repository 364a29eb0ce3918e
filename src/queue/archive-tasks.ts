import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { type RowsDone, rowByRow } from './row-by-row.ts';
import { nowSeconds } from './sql-time.ts';

const COLUMNS = [
  'id',
  'in_body',
  'created_at',
  'started_at',
  'finished_at',
  'retry_count',
  'error_reason',
  'out_body',
  'slave',
  'heartbeat_at',
] as const;

/**
 * Moves tasks that finished `olderThanMs` ago or earlier to tasks_archived, one transaction each (a body may have 2 MB), so that
 * it can be stopped anywhere.
 */
export async function archiveTasks(db: Database, olderThanMs: number, signal?: AbortSignal): Promise<RowsDone> {
  const seconds = Math.floor(olderThanMs / 1000);
  const due = await db.kysely
    .selectFrom('tasks')
    .select('id')
    .where('finished_at', '<=', sql<number>`${nowSeconds} - ${seconds}`)
    .execute();
  const ids = due.map(({ id }) => id);
  return await rowByRow(ids, (id) => archiveTask(db, id), signal);
}

/**
 * False when it is not a finished task of `tasks`. An older row of the same id (it failed, was archived, and was asked for again)
 * gives way.
 */
export async function archiveTask(db: Database, id: string): Promise<boolean> {
  return await db.transaction(async (trx) => {
    const row = await trx
      .selectFrom('tasks')
      .select('finished_at')
      .where('id', '=', id)
      .where('finished_at', 'is not', null)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return false;
    await trx
      .replaceInto('tasks_archived')
      .columns(COLUMNS)
      .expression(trx.selectFrom('tasks').select(COLUMNS).where('id', '=', id))
      .execute();
    await trx.deleteFrom('tasks').where('id', '=', id).execute();
    return true;
  });
}
