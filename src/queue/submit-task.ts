import { sql } from 'kysely';
import type { Database, Transaction } from '../database/database.ts';
import { together } from '../database/together.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { TaskView } from '../rpc/methods.ts';
import { viewOf } from './get-task.ts';
import { notPlain, plainOrSingly } from './not-plain.ts';
import { type PreparedSubmission, prepareSubmission, type Submission } from './prepare-submission.ts';
import { nowMs, nowSeconds } from './sql-time.ts';

export interface Submitted {
  readonly view: TaskView;
  /** By the database's clock, where the task was not known before; null: it was. */
  readonly queuedAt: number | null;
}

/**
 * Asks for a piece of work. The same work is one row and one answer: a proof is answered from the tables, archived or not; a
 * task that failed, found faults or was cancelled is opened for another attempt; one that waits or runs goes on.
 * @throws CodedError `bad-task`
 */
export async function submitTask(db: Database, submission: Submission): Promise<TaskView> {
  return await submitPrepared(db, prepareSubmission(submission));
}

/** The same for many at once, in the order asked. In the plain case none of them was known before. */
export async function submitTasks(db: Database, submissions: readonly PreparedSubmission[]): Promise<Submitted[]> {
  return await plainOrSingly(
    submissions,
    (plain) => insertAll(db, plain),
    async (submission) => ({ view: await submitPrepared(db, submission), queuedAt: null }),
  );
}

async function submitPrepared(db: Database, submission: PreparedSubmission): Promise<TaskView> {
  const { id, closeAt } = submission;
  return await db.transaction(async (trx) => {
    const known = await viewOf(trx, 'tasks', id);
    if (known?.state === 'proven') return known;
    if (known === null) {
      const archived = await viewOf(trx, 'tasks_archived', id);
      if (archived?.state === 'proven') return archived;
      await openDetails(trx, submission);
      await insertTask(trx, submission);
    } else {
      await reopen(trx, id, closeAt);
    }
    const view = await viewOf(trx, 'tasks', id);
    if (view === null) throw new CodedError('task-archived', `task ${id} was archived just now; submit it again`);
    return view;
  });
}

/** A row of task_details stays as long as anything is known of its task, so that a new one is a new task. */
async function insertAll(db: Database, submissions: readonly PreparedSubmission[]): Promise<Submitted[]> {
  const sorted = submissions.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const details = sorted.map(
    (task) => sql`(${task.id}, ${task.minerId}, ${task.proofType}, ${task.sectorCount}, ${task.closeAt},
      ${jsonOrNull(task.stores)}, ${nowMs})`,
  );
  return await db.transaction(async (trx) => {
    const [clock, inserted] = await together(trx, [
      sql`SELECT ${nowMs} AS now`,
      sql`INSERT IGNORE INTO task_details (task_id, miner_id, proof_type, sector_count, close_at, stores, queued_at)
        VALUES ${sql.join(details)}`,
    ]);
    if (inserted?.affected !== submissions.length) throw notPlain();
    for (const tasks of inPowersOfTwo(sorted)) {
      const rows = tasks.map(({ id, body }) => sql`(${id}, ${body}, ${nowSeconds})`);
      await sql`INSERT INTO tasks (id, in_body, created_at) VALUES ${sql.join(rows)}`.execute(trx);
    }
    const [{ now }] = clock?.rows as [{ now: number }];
    return submissions.map((task) => ({ view: newView(task, now), queuedAt: now }));
  });
}

/** Statements with bodies are prepared, one for each number of rows: so there are few. */
function* inPowersOfTwo<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; ) {
    const count = 2 ** Math.floor(Math.log2(items.length - from));
    yield items.slice(from, from + count);
    from += count;
  }
}

function newView({ id, closeAt }: PreparedSubmission, now: number): TaskView {
  return {
    id,
    state: 'waiting',
    closeAt,
    retryCount: 0,
    attempts: 0,
    slave: null,
    phase: null,
    done: 0,
    total: 0,
    createdAt: Math.floor(now / 1000) * 1000,
    startedAt: null,
    finishedAt: null,
    output: null,
    error: null,
  };
}

function jsonOrNull(value: readonly string[] | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** The row may be there: of an archived task, or of another submission of this moment. */
async function openDetails(trx: Transaction, task: PreparedSubmission): Promise<void> {
  const again = { close_at: task.closeAt, queued_at: nowMs, retry_at: 0 };
  await trx
    .insertInto('task_details')
    .values({
      task_id: task.id,
      miner_id: task.minerId,
      proof_type: task.proofType,
      sector_count: task.sectorCount,
      stores: jsonOrNull(task.stores),
      ...again,
    })
    .onDuplicateKeyUpdate(again)
    .execute();
}

async function insertTask(trx: Transaction, { id, body }: PreparedSubmission): Promise<void> {
  await trx.insertInto('tasks').ignore().values({ id, in_body: body, created_at: nowSeconds }).execute();
}

/** Attempt numbers go on. A task that is not finished only learns its Close. */
async function reopen(trx: Transaction, id: string, closeAt: number | null): Promise<void> {
  if (closeAt !== null) {
    await trx.updateTable('task_details').set({ close_at: closeAt }).where('task_id', '=', id).execute();
  }
  const { numUpdatedRows } = await trx
    .updateTable('tasks')
    .set({
      started_at: null,
      finished_at: null,
      heartbeat_at: null,
      retry_count: 0,
      error_reason: null,
      out_body: null,
    })
    .where('id', '=', id)
    .where('finished_at', 'is not', null)
    .where((where) => where.or([where('out_body', 'is', null), where('error_reason', 'is not', null)]))
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  await trx.updateTable('task_details').set({ queued_at: nowMs, retry_at: 0 }).where('task_id', '=', id).execute();
}
