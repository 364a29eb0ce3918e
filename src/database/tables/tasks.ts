import type { Generated } from 'kysely';

/** `tasks` and `tasks_archived` of sql/0001-seed-tables.sql, column for column. Times are seconds since 1970. */
export interface TasksTable {
  id: string;
  in_body: Buffer;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  /** Failures of the work; a lost lease is not one. */
  retry_count: Generated<number>;
  error_reason: string | null;
  out_body: Buffer | null;
  slave: string | null;
  heartbeat_at: number | null;
}
