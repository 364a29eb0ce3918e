import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { EndedAttempt } from './attempt.ts';
import { type Failure, failAttempt, type RetryPolicy } from './fail-attempt.ts';
import { nowMs } from './sql-time.ts';

export interface LeasePolicy extends RetryPolicy {
  /** Silence of a slave that ends its leases. */
  readonly heartbeatTimeoutMs: number;
  /** A slave that beats but gets no further. */
  readonly progressTimeoutMs: number;
}

interface Times {
  readonly heartbeat_at: number;
  readonly progress_at: number;
  /** The database's clock. */
  readonly now: number;
}

/** Less is the time between two statements, or two nodes of a cluster. */
const SET_BACK_MS = 2_000;

/**
 * Ends the attempts of silent slaves and those that are stuck, by the database's clock. Reads live attempts only (key `live`).
 * `mayJudge` is asked when they were read, with the database's clock.
 */
export async function endLostAttempts(
  db: Database,
  policy: LeasePolicy,
  mayJudge: (now: number) => boolean = () => true,
): Promise<EndedAttempt[]> {
  const live = await db.kysely
    .selectFrom('task_attempts')
    .select(['task_id', 'attempt', 'slave', 'heartbeat_at', 'progress_at', nowMs.as('now')])
    .where('ended_at', 'is', null)
    .execute();
  const [first] = live;
  if (first === undefined) return [];
  const isJudged = mayJudge(first.now);
  if (live.some(isAhead)) await bringBack(db);
  if (!isJudged) return [];
  const ended: EndedAttempt[] = [];
  let broken: unknown;
  for (const { task_id: id, attempt, slave, ...times } of live) {
    const failure = failureOf(times, policy);
    if (failure === undefined) continue;
    try {
      const { accepted, ended: others } = await failAttempt(db, { id, attempt }, failure, policy);
      if (accepted) ended.push({ id, attempt, slave, outcome: failure.outcome }, ...others);
    } catch (error) {
      // A row that cannot be written keeps no other lease.
      broken ??= error;
    }
  }
  if (broken !== undefined && ended.length === 0) throw broken;
  return ended;
}

/** Written before the clock was set back. */
function isAhead({ heartbeat_at, progress_at, now }: Times): boolean {
  return Math.max(heartbeat_at, progress_at) > now + SET_BACK_MS;
}

/** These leases begin anew; as they stand, they would live until the clock has caught up. */
async function bringBack(db: Database): Promise<void> {
  await db.kysely
    .updateTable('task_attempts')
    .set({
      heartbeat_at: sql<number>`LEAST(heartbeat_at, ${nowMs})`,
      progress_at: sql<number>`LEAST(progress_at, ${nowMs})`,
    })
    .where('ended_at', 'is', null)
    .execute();
}

function failureOf(times: Times, policy: LeasePolicy): Failure | undefined {
  const silent = times.now - times.heartbeat_at;
  if (silent > policy.heartbeatTimeoutMs) {
    return { class: 'lost', outcome: 'lost', reason: `no heartbeat for ${silent} ms` };
  }
  const stuck = times.now - times.progress_at;
  if (stuck > policy.progressTimeoutMs) {
    return { class: 'slave', outcome: 'timeout', reason: `no progress for ${stuck} ms` };
  }
  return undefined;
}
