import type { Database } from '../database/database.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import { type AttemptId, whyClosed } from './attempt.ts';
import { decodeTask } from './window-post-task.ts';

/** The task of a live attempt of a slave, or why there is none. */
export async function getAttemptTask(
  db: Database,
  slave: string,
  { id, attempt }: AttemptId,
): Promise<{ readonly task: WindowPostTask } | { readonly refused: string }> {
  const row = await db.kysely
    .selectFrom('task_attempts')
    .innerJoin('tasks', 'id', 'task_id')
    .select('in_body')
    .where('task_id', '=', id)
    .where('attempt', '=', attempt)
    .where('task_attempts.slave', '=', slave)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (row !== undefined) return { task: decodeTask(row.in_body) };
  return { refused: await whyClosed(db.kysely, { id, attempt }) };
}
