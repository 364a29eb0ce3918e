import type { Database } from '../database/database.ts';
import type { AttemptId } from './attempt.ts';

/** Which of the attempts that a slave works on are not its live leases. */
export async function closedAttempts(
  db: Database,
  slave: string,
  attempts: readonly AttemptId[],
): Promise<AttemptId[]> {
  const closed: AttemptId[] = [];
  for (const { id, attempt } of attempts) {
    const live = await db.kysely
      .selectFrom('task_attempts')
      .select('attempt')
      .where('task_id', '=', id)
      .where('attempt', '=', attempt)
      .where('slave', '=', slave)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    if (live === undefined) closed.push({ id, attempt });
  }
  return closed;
}
