import type { Database } from '../database/database.ts';
import { groupBy } from './group-by.ts';

/** A lease as memory knows it. */
export interface LiveAttempt {
  readonly attempt: number;
  readonly slave: string;
  /** Milliseconds by the database's clock. */
  readonly startedAt: number;
}

/** What dispatching has to know of a task. Times in milliseconds by the database's clock. */
export interface UnfinishedTask {
  readonly id: string;
  readonly minerId: number;
  readonly proofType: string;
  readonly sectorCount: number;
  /** Directories that hold its sectors; null: not known. */
  readonly stores: readonly string[] | null;
  readonly closeAt: number | null;
  readonly queuedAt: number;
  readonly retryAt: number;
  readonly retryElsewhere: boolean;
  readonly lastAttempt: number;
  /** Of the newest attempt, live or not. */
  readonly lastSlave: string | null;
  /** In the order of their numbers. None: it waits. */
  readonly live: readonly LiveAttempt[];
}

/**
 * All tasks not finished, without their bodies. Reads `tasks` whole: the seed's table has no key for it, and archiving keeps it
 * small (bodies of a full partition lie off the page: 1,000 rows took 0.9 ms).
 */
export async function listUnfinished(db: Database): Promise<UnfinishedTask[]> {
  const rows = await select(db).execute();
  const attempts = await selectLive(db).execute();
  const live = groupBy(attempts, ({ id }) => id);
  return rows.map((row) => fromRow(row, live.get(row.id) ?? []));
}

/** undefined when it is finished, or not there. */
export async function findUnfinished(db: Database, id: string): Promise<UnfinishedTask | undefined> {
  const row = await select(db).where('id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  return fromRow(row, await selectLive(db).where('task_id', '=', id).execute());
}

function select(db: Database) {
  return db.kysely
    .selectFrom('tasks')
    .innerJoin('task_details', 'task_id', 'id')
    .select(['id', 'miner_id', 'proof_type', 'sector_count', 'stores', 'close_at', 'queued_at', 'retry_at'])
    .select(['retry_elsewhere', 'last_attempt', 'slave'])
    .where('finished_at', 'is', null);
}

function selectLive(db: Database) {
  return db.kysely
    .selectFrom('task_attempts')
    .select(['task_id as id', 'attempt', 'slave', 'started_at as startedAt'])
    .where('ended_at', 'is', null)
    .orderBy('attempt');
}

type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

function fromRow(row: Row, live: readonly LiveAttempt[]): UnfinishedTask {
  return {
    id: row.id,
    minerId: row.miner_id,
    proofType: row.proof_type,
    sectorCount: row.sector_count,
    stores: row.stores === null ? null : JSON.parse(row.stores),
    closeAt: row.close_at,
    queuedAt: row.queued_at,
    retryAt: row.retry_at,
    retryElsewhere: row.retry_elsewhere === 1,
    lastAttempt: row.last_attempt,
    lastSlave: row.slave,
    live: live.map(({ attempt, slave, startedAt }) => ({ attempt, slave, startedAt })),
  };
}
