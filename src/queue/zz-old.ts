import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { AttemptId, Heartbeat } from '../rpc/methods.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

export interface SlaveHeartbeat extends Heartbeat {
  readonly slave: string;
}

/**
 * Keeps leases of any number of slaves; returns those that are not live, which their slaves must drop. A few statements for all.
 * Whoever waits for memory makes progress: others on its host are proving.
 */
export async function recordHeartbeats(db: Database, beats: readonly SlaveHeartbeat[]): Promise<AttemptId[]> {
  if (beats.length === 0) return [];
  const sorted = beats.toSorted((a, b) => (a.id === b.id ? a.attempt - b.attempt : a.id < b.id ? -1 : 1));
  const table = sql.join(sorted.map(rowOf), sql` UNION ALL `);
  const ids = sql.join(sorted.map(({ id }) => id));
  const live = sql`(${table}) beat STRAIGHT_JOIN task_attempts FORCE INDEX (PRIMARY)
    ON task_id = beat.id AND task_attempts.attempt = beat.attempt AND ended_at IS NULL AND task_attempts.slave = beat.slave`;
  return await db.transactionFrom(
    // Two updates: one of several tables may assign in any order, and progress compares with what was there.
    [
      sql`UPDATE ${live} SET progress_at = ${nowMs}
        WHERE NOT (task_attempts.phase <=> beat.phase AND task_attempts.done = beat.done) OR beat.phase = 'waiting'`,
      sql`UPDATE ${live} SET heartbeat_at = ${nowMs}, task_attempts.phase = beat.phase, task_attempts.done = beat.done,
        task_attempts.total = beat.total`,
      // The seed's column mirrors the newest attempt, whose slave is the one named there.
      sql`UPDATE (${table}) beat STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = beat.id AND tasks.slave = beat.slave
        SET heartbeat_at = ${nowSeconds} WHERE finished_at IS NULL`,
    ],
    async (trx, [, kept]) => {
      if (kept?.affected === beats.length) return [];
      const { rows } = await sql<{ id: string; attempt: number; slave: string }>`SELECT task_id AS id, attempt, slave
      FROM task_attempts WHERE task_id IN (${ids}) AND ended_at IS NULL`.execute(trx);
      const open = new Set(rows.map(keyOf));
      return beats.filter((beat) => !open.has(keyOf(beat))).map(({ id, attempt }) => ({ id, attempt }));
    },
  );
}

function rowOf({ id, attempt, slave, phase, done, total }: SlaveHeartbeat) {
  return sql`SELECT ${id} AS id, ${attempt} AS attempt, ${slave} AS slave, ${phase} AS phase, ${done} AS done, ${total} AS total`;
}

function keyOf({ id, attempt, slave }: AttemptId & { readonly slave: string }): string {
  return `${id}/${attempt}/${slave}`;
}
