import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { TaskView } from '../rpc/methods.ts';
import { plainOrSingly } from './not-plain.ts';
import type { PreparedSubmission } from './prepare-submission.ts';
import { nowMs, nowSeconds } from './sql-time.ts';
import { submitPrepared } from './submit-task.ts';

export interface SubmissionForSlave {
  readonly task: PreparedSubmission;
  /** Gets the task's first lease with its row; null: it waits. */
  readonly slave: string | null;
}

export interface Submitted {
  readonly view: TaskView;
  /** By the database's clock, where the task was not known before; null: it was, and no lease was made. */
  readonly queuedAt: number | null;
}

/** `submitTask` for many at once, in the order asked. In the plain case none of them was known before. */
export async function submitTasks(db: Database, submissions: readonly SubmissionForSlave[]): Promise<Submitted[]> {
  return await plainOrSingly(
    submissions,
    (plain) => insertAll(db, plain),
    async ({ task }) => ({ view: await submitPrepared(db, task), queuedAt: null }),
  );
}

/**
 * A row of task_details stays as long as anything is known of its task, so that a new one is a new task. Nobody else can have the
 * first attempt of a task whose row is not committed yet.
 */
async function insertAll(db: Database, submissions: readonly SubmissionForSlave[]): Promise<Submitted[]> {
  const sorted = submissions.toSorted((a, b) => (a.task.id < b.task.id ? -1 : 1));
  const details = sorted.map(
    ({ task, slave }) => sql`(${task.id}, ${task.minerId}, ${task.proofType}, ${task.sectorCount}, ${task.closeAt},
      ${task.stores === null ? null : JSON.stringify(task.stores)}, ${nowMs}, ${slave === null ? 0 : 1})`,
  );
  const attempts = sorted
    .filter(({ slave }) => slave !== null)
    .map(({ task, slave }) => sql`(${task.id}, 1, ${slave}, ${nowMs}, ${nowMs}, ${nowMs})`);
  const insertAttempts = sql`INSERT INTO task_attempts (task_id, attempt, slave, started_at, heartbeat_at, progress_at)
    VALUES ${sql.join(attempts)}`;
  const [clock] = await db.wholeTransaction([
    sql`SELECT ${nowMs} AS now`,
    sql`INSERT INTO task_details
      (task_id, miner_id, proof_type, sector_count, close_at, stores, queued_at, last_attempt) VALUES ${sql.join(details)}`,
    ...(attempts.length === 0 ? [] : [insertAttempts]),
    ...[...inPowersOfTwo(sorted)].map(insertTasks),
  ]);
  const [row] = (clock?.rows ?? []) as { readonly now: number }[];
  const now = row?.now ?? 0;
  return submissions.map((submission) => ({ view: newView(submission, now), queuedAt: now }));
}

function insertTasks(submissions: readonly SubmissionForSlave[]) {
  const startedAt = (slave: string | null) => sql`IF(${slave} IS NULL, NULL, ${nowSeconds})`;
  const rows = submissions.map(
    ({ task, slave }) =>
      sql`(${task.id}, ${task.body}, ${nowSeconds}, ${slave}, ${startedAt(slave)}, ${startedAt(slave)})`,
  );
  return sql`INSERT INTO tasks (id, in_body, created_at, slave, started_at, heartbeat_at) VALUES ${sql.join(rows)}`;
}

/** Statements with bodies are prepared, one for each number of rows: so there are few. */
function* inPowersOfTwo<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; ) {
    const count = 2 ** Math.floor(Math.log2(items.length - from));
    yield items.slice(from, from + count);
    from += count;
  }
}

function newView({ task: { id, closeAt }, slave }: SubmissionForSlave, now: number): TaskView {
  const second = Math.floor(now / 1000) * 1000;
  return {
    id,
    state: slave === null ? 'waiting' : 'running',
    closeAt,
    retryCount: 0,
    attempts: slave === null ? 0 : 1,
    slave,
    phase: null,
    done: 0,
    total: 0,
    createdAt: second,
    startedAt: slave === null ? null : second,
    finishedAt: null,
    output: null,
    error: null,
  };
}
