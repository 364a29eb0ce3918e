import type { TaskView } from '../rpc/methods.ts';

/**
 * waiting → running → proven | faulted | failed | cancelled, and from running back to waiting when its last live attempt ends
 * without a result. A submission takes every finished state but `proven` back to waiting.
 */
export type TaskState = TaskView['state'];

/** The columns of `tasks` that say the state; `has_output` is `out_body IS NOT NULL`. */
export interface StateColumns {
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly error_reason: string | null;
  readonly has_output: boolean | number;
}

/** What takes a row of `tasks` back to `waiting`, as if it were new. */
export const NOT_STARTED = {
  started_at: null,
  finished_at: null,
  heartbeat_at: null,
  retry_count: 0,
  error_reason: null,
  out_body: null,
} as const;

/** Marks a cancelled task in the seed's `error_reason`. */
export const CANCELLED = 'cancelled: ';

export function taskState(row: StateColumns): TaskState {
  if (row.finished_at === null) return row.started_at === null ? 'waiting' : 'running';
  if (row.has_output) return row.error_reason === null ? 'proven' : 'faulted';
  return row.error_reason?.startsWith(CANCELLED) ? 'cancelled' : 'failed';
}
