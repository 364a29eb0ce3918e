import type { Executor } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { TaskView } from '../rpc/methods.ts';
import { type WindowPostOutput, windowPostOutput } from '../rpc/window-post.ts';
import { progressOf, taskState } from './task-state.ts';

/** Looks among the archived, too. */
export async function getTask(db: Executor, id: string): Promise<TaskView | null> {
  return (await viewOf(db, 'tasks', id)) ?? (await viewOf(db, 'tasks_archived', id));
}

export async function viewOf(db: Executor, table: 'tasks' | 'tasks_archived', id: string): Promise<TaskView | null> {
  const row = await db
    .selectFrom(`${table} as task`)
    .leftJoin('task_details as detail', 'detail.task_id', 'task.id')
    .leftJoin('task_attempts as attempt', (join) =>
      join.onRef('attempt.task_id', '=', 'task.id').onRef('attempt.attempt', '=', 'detail.last_attempt'),
    )
    .select(['task.created_at', 'task.started_at', 'task.finished_at', 'task.retry_count', 'task.error_reason'])
    .select(['task.out_body', 'task.slave', 'detail.close_at', 'detail.last_attempt'])
    .select(['attempt.phase', 'attempt.done', 'attempt.total'])
    .where('task.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return null;
  const state = taskState({ ...row, has_output: row.out_body !== null });
  return {
    id,
    state,
    closeAt: row.close_at,
    retryCount: row.retry_count,
    attempts: row.last_attempt ?? 0,
    slave: row.slave,
    ...progressOf(state, row),
    createdAt: row.created_at * 1000,
    startedAt: milliseconds(row.started_at),
    finishedAt: milliseconds(row.finished_at),
    output: row.out_body === null ? null : decodeOutput(id, row.out_body),
    error: row.error_reason,
  };
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

function decodeOutput(id: string, body: Buffer): WindowPostOutput {
  try {
    return windowPostOutput.parse(JSON.parse(body.toString()));
  } catch (error) {
    throw new CodedError('bad-output', `out_body of task ${id} cannot be read`, { cause: error });
  }
}
