import type { Generated } from 'kysely';

/** sql/0002-queue.sql and sql/0005-cluster.sql. Times are milliseconds since 1970 by the database's clock. */
export interface TaskDetailsTable {
  task_id: string;
  miner_id: number;
  proof_type: string;
  sector_count: number;
  close_at: number | null;
  queued_at: number;
  last_attempt: Generated<number>;
  /** Nobody gets the task before this. */
  retry_at: Generated<number>;
  /** 1: `retry_at` holds only for the slave that had it last. */
  retry_elsewhere: Generated<number>;
  /** JSON list of the directories that hold its sectors; null where the files are laid out in another way. */
  stores: Generated<string | null>;
}

export interface TaskAttemptsTable {
  task_id: string;
  attempt: number;
  slave: string;
  phase: AttemptPhase | null;
  done: Generated<number>;
  total: Generated<number>;
  started_at: number;
  heartbeat_at: number;
  progress_at: number;
  ended_at: number | null;
  outcome: AttemptOutcome | null;
  reason: string | null;
}

export type AttemptPhase = 'reading' | 'waiting' | 'proving' | 'verifying';
export type AttemptOutcome = 'proven' | 'faulted' | 'failed' | 'lost' | 'cancelled' | 'superseded' | 'timeout';
