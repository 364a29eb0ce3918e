import type { Database } from '../database/database.ts';
import type { AttemptId } from '../rpc/methods.ts';
import { whyClosed } from './attempt.ts';

/** The body of the task of a live attempt of a slave, or why there is none. */
export async function getAttemptBody(
  db: Database,
  slave: string,
  { id, attempt }: AttemptId,
): Promise<{ readonly body: Buffer } | { readonly refused: string }> {
  const row = await db.kysely
    .selectFrom('task_attempts')
    .innerJoin('tasks', 'id', 'task_id')
    .select('in_body')
    .where('task_id', '=', id)
    .where('attempt', '=', attempt)
    .where('task_attempts.slave', '=', slave)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (row !== undefined) return { body: row.in_body };
  return { refused: await whyClosed(db.kysely, { id, attempt }) };
}
