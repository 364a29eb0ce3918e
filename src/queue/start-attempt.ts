import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { demandRows } from '../database/together.ts';
import type { AttemptId } from '../rpc/methods.ts';
import { plainOrSingly } from './not-plain.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

export interface LeaseRequest {
  readonly id: string;
  readonly slave: string;
  /** The newest attempt known. */
  readonly lastAttempt: number;
}

/**
 * Leases a task to a slave; null when somebody was faster. Decided by affected rows of conditional updates alone, so that two
 * masters, and the nodes of a cluster whose locks are their own, agree.
 */
export async function startAttempt(db: Database, lease: LeaseRequest): Promise<AttemptId | null> {
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
      .set({ started_at: nowSeconds, heartbeat_at: nowSeconds, slave, error_reason: null })
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
    return { id, attempt };
  });
}

/** The same for many at once, in the order asked. In the plain case nobody was faster anywhere. */
export async function startAttempts(db: Database, leases: readonly LeaseRequest[]): Promise<(AttemptId | null)[]> {
  return await plainOrSingly(
    leases,
    (plain) => startAll(db, plain),
    (lease) => startAttempt(db, lease),
  );
}

/** Each statement must match every row: then all conditions of `startAttempt` held for each. */
async function startAll(db: Database, leases: readonly LeaseRequest[]): Promise<AttemptId[]> {
  const sorted = leases.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const isKnown = sorted.map(({ id, lastAttempt }) => sql`(task_id = ${id} AND last_attempt = ${lastAttempt})`);
  const rows = sorted.map(
    ({ id, slave, lastAttempt }) => sql`(${id}, ${lastAttempt + 1}, ${slave}, ${nowMs}, ${nowMs}, ${nowMs})`,
  );
  const slaves = sorted.map(({ id, slave }) => sql`WHEN ${id} THEN ${slave}`);
  await db.wholeTransaction([
    sql`UPDATE task_details FORCE INDEX (PRIMARY) SET last_attempt = last_attempt + 1 WHERE ${sql.join(isKnown, sql` OR `)}`,
    demandRows(leases.length),
    sql`INSERT INTO task_attempts (task_id, attempt, slave, started_at, heartbeat_at, progress_at) VALUES ${sql.join(rows)}`,
    sql`UPDATE tasks FORCE INDEX (PRIMARY)
      SET started_at = ${nowSeconds}, heartbeat_at = ${nowSeconds}, error_reason = NULL, slave = CASE id ${sql.join(slaves, sql` `)} END
      WHERE id IN (${sql.join(sorted.map(({ id }) => id))}) AND finished_at IS NULL`,
    demandRows(leases.length),
  ]);
  return leases.map(({ id, lastAttempt }) => ({ id, attempt: lastAttempt + 1 }));
}
