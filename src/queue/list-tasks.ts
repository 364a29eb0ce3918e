import { type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Executor } from '../database/database.ts';
import type { Schema } from '../database/schema.ts';
import type { TasksTable } from '../database/tables/tasks.ts';
import type { TaskSummary } from '../rpc/methods.ts';
import { CANCELLED, progressOf, type TaskState, taskState } from './task-state.ts';

export interface TaskFilter {
  /** Absent or empty: all. */
  readonly states?: readonly TaskState[] | undefined;
  readonly minerId?: number | undefined;
  readonly archived?: boolean | undefined;
  readonly limit: number;
}

/** The newest first. Reads no body: `IS NULL` is answered by the row itself. */
export async function listTasks(db: Executor, filter: TaskFilter): Promise<TaskSummary[]> {
  const { states = [], minerId, archived, limit } = filter;
  let query = db
    .selectFrom(archived === true ? 'tasks_archived as task' : 'tasks as task')
    .leftJoin('task_details as detail', 'detail.task_id', 'task.id')
    .leftJoin('task_attempts as attempt', (join) =>
      join.onRef('attempt.task_id', '=', 'task.id').onRef('attempt.attempt', '=', 'detail.last_attempt'),
    )
    .select(['task.id', 'task.created_at', 'task.started_at', 'task.finished_at', 'task.error_reason', 'task.slave'])
    .select(sql<number>`task.out_body IS NOT NULL`.as('has_output'))
    .select(['detail.miner_id', 'detail.sector_count', 'detail.close_at', 'detail.last_attempt'])
    .select(['attempt.phase', 'attempt.done', 'attempt.total'])
    .orderBy('task.created_at', 'desc')
    .orderBy('task.id')
    .limit(limit);
  if (minerId !== undefined) query = query.where('detail.miner_id', '=', minerId);
  if (states.length > 0) query = query.where((where) => where.or(states.map((state) => isIn(where, state))));
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    state: taskState(row),
    minerId: row.miner_id,
    sectors: row.sector_count,
    closeAt: row.close_at,
    createdAt: row.created_at * 1000,
    startedAt: row.started_at === null ? null : row.started_at * 1000,
    finishedAt: row.finished_at === null ? null : row.finished_at * 1000,
    attempts: row.last_attempt ?? 0,
    slave: row.slave,
    ...progressOf(taskState(row), row),
    error: row.error_reason,
  }));
}

type Where = ExpressionBuilder<Schema & { task: TasksTable }, 'task'>;

/** `taskState` as a condition. */
function isIn(where: Where, state: TaskState) {
  const unfinished = where('task.finished_at', 'is', null);
  const finished = where('task.finished_at', 'is not', null);
  const answered = where('task.out_body', 'is not', null);
  const unanswered = where('task.out_body', 'is', null);
  const cancelled = where('task.error_reason', 'like', `${CANCELLED}%`);
  switch (state) {
    case 'waiting':
      return where.and([unfinished, where('task.started_at', 'is', null)]);
    case 'running':
      return where.and([unfinished, where('task.started_at', 'is not', null)]);
    case 'proven':
      return where.and([finished, answered, where('task.error_reason', 'is', null)]);
    case 'faulted':
      return where.and([finished, answered, where('task.error_reason', 'is not', null)]);
    case 'cancelled':
      return where.and([finished, unanswered, cancelled]);
    case 'failed':
      return where.and([
        finished,
        unanswered,
        sql<SqlBool>`(task.error_reason IS NULL OR task.error_reason NOT LIKE ${`${CANCELLED}%`})`,
      ]);
  }
}
