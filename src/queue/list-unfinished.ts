import type { Database } from '../database/database.ts';
import { nowMs } from './sql-time.ts';

/** What dispatching has to know of a task. Times in milliseconds by the database's clock. */
export interface UnfinishedTask {
  readonly id: string;
  readonly minerId: number;
  readonly proofType: string;
  readonly closeAt: number | null;
  readonly queuedAt: number;
  readonly retryAt: number;
  readonly retryElsewhere: boolean;
  readonly lastAttempt: number;
  readonly lastSlave: string | null;
  /** Of the newest attempt, in whole seconds; null: it waits. */
  readonly startedAt: number | null;
}

export interface Unfinished {
  readonly tasks: readonly UnfinishedTask[];
  /** The database's clock, when it answered. */
  readonly now: number;
}

/**
 * All tasks not finished, without their bodies. Reads `tasks` whole: the seed's table has no key for it, and archiving keeps it
 * small (bodies of a full partition lie off the page: 1,000 rows took 0.9 ms).
 */
export async function listUnfinished(db: Database): Promise<Unfinished> {
  const rows = await select(db).execute();
  const { now } = await db.kysely.selectNoFrom(nowMs.as('now')).executeTakeFirstOrThrow();
  return { now, tasks: rows.map(fromRow) };
}

/** undefined when it is finished, or not there. */
export async function findUnfinished(db: Database, id: string): Promise<UnfinishedTask | undefined> {
  const row = await select(db).where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

function select(db: Database) {
  return db.kysely
    .selectFrom('tasks')
    .innerJoin('task_details', 'task_id', 'id')
    .select(['id', 'miner_id', 'proof_type', 'close_at', 'queued_at', 'retry_at', 'retry_elsewhere', 'last_attempt'])
    .select(['slave', 'started_at'])
    .where('finished_at', 'is', null);
}

function fromRow(row: Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]): UnfinishedTask {
  return {
    id: row.id,
    minerId: row.miner_id,
    proofType: row.proof_type,
    closeAt: row.close_at,
    queuedAt: row.queued_at,
    retryAt: row.retry_at,
    retryElsewhere: row.retry_elsewhere === 1,
    lastAttempt: row.last_attempt,
    lastSlave: row.slave,
    startedAt: row.started_at === null ? null : row.started_at * 1000,
  };
}
