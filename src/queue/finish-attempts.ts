import { type SqlBool, sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { demand, demandRows } from '../database/together.ts';
import type { AttemptId } from '../rpc/methods.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';
import { type FinishVerdict, finishAttempt } from './finish-attempt.ts';
import { notPlain, plainOrSingly } from './not-plain.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

export interface Finish extends AttemptId {
  readonly output: WindowPostOutput;
}

/**
 * `finishAttempt` for many at once, in the order asked. The plain case: every one is a proof, of the only live attempt of a task
 * that is not finished, and of a task of its own.
 */
export async function finishAttempts(db: Database, finishes: readonly Finish[]): Promise<FinishVerdict[]> {
  return await plainOrSingly(
    finishes,
    (plain) => finishAll(db, plain),
    ({ output, ...attempt }) => finishAttempt(db, attempt, output),
  );
}

async function finishAll(db: Database, finishes: readonly Finish[]): Promise<FinishVerdict[]> {
  const distinct = new Set(finishes.map(({ id }) => id)).size;
  if (distinct < finishes.length || finishes.some(({ output }) => output.faults.length > 0)) throw notPlain();
  const sorted = finishes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const ids = sql.join(sorted.map(({ id }) => id));
  const named = sorted.map(({ id, attempt }) => sql`(task_id = ${id} AND attempt = ${attempt})`);
  const outputs = sorted.map(({ id, output }) => sql`WHEN ${id} THEN ${Buffer.from(JSON.stringify(output))}`);
  await db.wholeTransaction([
    // Locks the tasks first, as every transition does, so that the live attempts it sees stay the live ones.
    sql`SELECT task_id FROM task_details FORCE INDEX (PRIMARY) WHERE task_id IN (${ids}) ORDER BY task_id FOR UPDATE`,
    sql`UPDATE task_attempts FORCE INDEX (PRIMARY) SET ended_at = ${nowMs}, outcome = 'proven', reason = NULL
      WHERE (${sql.join(named, sql` OR `)}) AND ended_at IS NULL`,
    demandRows(finishes.length),
    demand(
      sql<SqlBool>`COUNT(*) = 0`,
      sql`FROM task_attempts FORCE INDEX (PRIMARY) WHERE task_id IN (${ids}) AND ended_at IS NULL`,
    ),
    sql`UPDATE tasks FORCE INDEX (PRIMARY)
      SET out_body = CASE id ${sql.join(outputs, sql` `)} END, error_reason = NULL, finished_at = ${nowSeconds}
      WHERE id IN (${ids}) AND finished_at IS NULL`,
    demandRows(finishes.length),
  ]);
  return finishes.map(() => ({ accepted: true, reason: null, ended: [], state: 'proven' }));
}
