import type { Database } from '../database/database.ts';
import type { AttemptId, EndedAttempt } from './attempt.ts';
import { failAttempt, type RetryPolicy } from './fail-attempt.ts';

/** A slave that comes says what it works on: its other leases are lost now, not after the heartbeat time-out. */
export async function endAbandonedAttempts(
  db: Database,
  slave: string,
  working: readonly AttemptId[],
  policy: RetryPolicy,
): Promise<EndedAttempt[]> {
  const live = await db.kysely
    .selectFrom('task_attempts')
    .select(['task_id', 'attempt'])
    .where('ended_at', 'is', null)
    .where('slave', '=', slave)
    .execute();
  const ended: EndedAttempt[] = [];
  for (const { task_id: id, attempt } of live) {
    if (working.some((known) => known.id === id && known.attempt === attempt)) continue;
    const failure = { class: 'lost', outcome: 'lost', reason: 'the slave came back without it' } as const;
    const { accepted } = await failAttempt(db, { id, attempt }, failure, policy);
    if (accepted) ended.push({ id, attempt, slave, outcome: 'lost' });
  }
  return ended;
}
