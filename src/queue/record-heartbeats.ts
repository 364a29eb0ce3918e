import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { AttemptPhase } from '../database/tables/queue.ts';
import type { AttemptId } from './attempt.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

export interface Heartbeat extends AttemptId {
  readonly phase: AttemptPhase;
  readonly done: number;
  readonly total: number;
}

/** Keeps a slave's leases; returns those that are not live, which the slave must drop. Two statements for each attempt. */
export async function recordHeartbeats(db: Database, slave: string, beats: readonly Heartbeat[]): Promise<AttemptId[]> {
  const closed: AttemptId[] = [];
  for (const beat of beats) {
    if (!(await recordHeartbeat(db, slave, beat))) closed.push({ id: beat.id, attempt: beat.attempt });
  }
  return closed;
}

async function recordHeartbeat(db: Database, slave: string, beat: Heartbeat): Promise<boolean> {
  // progress_at comes first: assignments see the values of those before them.
  const { numUpdatedRows } = await db.kysely
    .updateTable('task_attempts')
    .set({
      progress_at: sql<number>`IF(phase <=> ${beat.phase} AND done = ${beat.done}, progress_at, ${nowMs})`,
      heartbeat_at: nowMs,
      phase: beat.phase,
      done: beat.done,
      total: beat.total,
    })
    .where('task_id', '=', beat.id)
    .where('attempt', '=', beat.attempt)
    .where('slave', '=', slave)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  // The seed's column mirrors the newest attempt, whose slave is the one named there.
  await db.kysely
    .updateTable('tasks')
    .set({ heartbeat_at: nowSeconds })
    .where('id', '=', beat.id)
    .where('slave', '=', slave)
    .where('finished_at', 'is', null)
    .execute();
  return true;
}
