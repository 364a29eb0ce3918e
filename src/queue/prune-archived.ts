import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

/** Rows looked at by one statement, by primary key and without their bodies. */
const LOOKED_AT = 1_000;
/** Rows of one transaction: it holds the locks of so many tasks for a few milliseconds. */
const DELETED = 50;

/**
 * Deletes archived tasks that finished more than `olderThanMs` ago, with their details and attempts; the signal stops it between
 * two transactions. Returns how many. Walks the primary key, since the seed's table has no other. The history that was there before
 * us has no details, and stays: nobody said that it may go.
 */
export async function pruneArchived(db: Database, olderThanMs: number, signal: AbortSignal): Promise<number> {
  const seconds = Math.floor(olderThanMs / 1000);
  const { limit } = await db.kysely
    .selectNoFrom(sql<number>`${nowSeconds} - ${seconds}`.as('limit'))
    .executeTakeFirstOrThrow();
  let pruned = 0;
  for (let after = ''; !signal.aborted; ) {
    const rows = await db.kysely
      .selectFrom('tasks_archived')
      .leftJoin('task_details', 'task_id', 'id')
      .select(['id', 'finished_at', 'task_id'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(LOOKED_AT)
      .execute();
    const due = rows
      .filter((row) => row.task_id !== null && row.finished_at !== null && row.finished_at < limit)
      .map((row) => row.id);
    for (let at = 0; at < due.length && !signal.aborted; at += DELETED) {
      pruned += await prune(db, due.slice(at, at + DELETED), limit);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < LOOKED_AT) break;
    after = last.id;
  }
  return pruned;
}

/** The details of tasks that an operator removed. */
export async function pruneRemoved(db: Database, olderThanMs: number, signal: AbortSignal): Promise<void> {
  const { limit } = await db.kysely
    .selectNoFrom(sql<number>`${nowMs} - ${olderThanMs}`.as('limit'))
    .executeTakeFirstOrThrow();
  for (let after = ''; !signal.aborted; ) {
    const rows = await db.kysely
      .selectFrom('task_details')
      .select(['task_id', 'queued_at'])
      .where('task_id', '>', after)
      .orderBy('task_id')
      .limit(LOOKED_AT)
      .execute();
    const old = rows.filter((row) => row.queued_at < limit).map((row) => row.task_id);
    const removed = await withoutTask(db, old);
    for (let at = 0; at < removed.length && !signal.aborted; at += DELETED) {
      await prune(db, removed.slice(at, at + DELETED), 0);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < LOOKED_AT) break;
    after = last.task_id;
  }
}

/** By value: a join with tables whose collation nobody knows could not use their keys. */
async function withoutTask(db: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const there = new Set<string>();
  for (const table of ['tasks', 'tasks_archived'] as const) {
    for (const { id } of await db.kysely.selectFrom(table).select('id').where('id', 'in', ids).execute()) there.add(id);
  }
  return ids.filter((id) => !there.has(id));
}

/** A task that was asked for again keeps its details, so that attempt numbers go on. */
async function prune(db: Database, ids: readonly string[], limit: number): Promise<number> {
  return await db.transaction(async (trx) => {
    await trx
      .selectFrom('task_details')
      .select('task_id')
      .where('task_id', 'in', ids)
      .orderBy('task_id')
      .forUpdate()
      .execute();
    const current = await trx.selectFrom('tasks').select('id').where('id', 'in', ids).execute();
    const kept = new Set(current.map((row) => row.id));
    const gone = ids.filter((id) => !kept.has(id));
    if (gone.length > 0) {
      await trx.deleteFrom('task_attempts').where('task_id', 'in', gone).execute();
      await trx.deleteFrom('task_details').where('task_id', 'in', gone).execute();
    }
    const { numDeletedRows } = await trx
      .deleteFrom('tasks_archived')
      .where('id', 'in', ids)
      .where('finished_at', '<', limit)
      .executeTakeFirst();
    return Number(numDeletedRows);
  });
}

/** Forgets slaves (drained ones apart) and masters that have been away for so long, and the challenges of deadlines long over. */
export async function pruneCluster(db: Database, olderThanMs: number): Promise<void> {
  const limit = sql<number>`${nowMs} - ${olderThanMs}`;
  await db.transaction(async (trx) => {
    await trx.deleteFrom('slaves').where('left_at', '<', limit).where('drained', '=', 0).execute();
    await trx.deleteFrom('masters').where('seen_at', '<', limit).execute();
    await trx.deleteFrom('proving_seeds').where('first_seen_at', '<', limit).execute();
  });
}
