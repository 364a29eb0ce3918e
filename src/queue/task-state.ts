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

/** Begins the reason of a cancellation by those who had asked for the task. */
export const WITHDRAWN = 'withdrawn: ';
/** Begins the reason of a failure where whoever asked for a proof could not verify it. */
export const REFUSED = 'refused: ';
/** The reason of one by time. */
export const CLOSED = 'its deadline closed';

/** Whether a cancelled task was only not wanted any more by others, or for as long: whoever still does may ask again. */
export function mayAskAgain(error: string | null): boolean {
  return error?.startsWith(`${CANCELLED}${WITHDRAWN}`) === true || error === `${CANCELLED}${CLOSED}`;
}

export function taskState(row: StateColumns): TaskState {
  if (row.finished_at === null) return row.started_at === null ? 'waiting' : 'running';
  if (row.has_output) return row.error_reason === null ? 'proven' : 'faulted';
  return row.error_reason?.startsWith(CANCELLED) ? 'cancelled' : 'failed';
}

/** What the newest attempt told of itself; of one that a waiting task had before there is nothing to tell. */
export function progressOf(
  state: TaskState,
  row: { readonly phase: string | null; readonly done: number | null; readonly total: number | null },
): Pick<TaskView, 'phase' | 'done' | 'total'> {
  if (state === 'waiting') return { phase: null, done: 0, total: 0 };
  return { phase: row.phase, done: row.done ?? 0, total: row.total ?? 0 };
}
