import type { ColumnType, Generated } from 'kysely';

/** sql/0003-poster.sql, 0007-poster.sql and 0015-copies.sql. Epochs are the chain's, times milliseconds since 1970, bit fields RLE+. */
export interface PostRunsTable {
  id: Generated<number>;
  miner_id: number;
  period_start: number;
  deadline: number;
  challenge_epoch: number;
  open_epoch: number;
  close_epoch: number;
  proof_type: number;
  randomness: Buffer;
  created_at: number;
  finished_at: number | null;
  state: ColumnType<'ok' | 'late' | 'at-risk' | 'lost', string | undefined, string>;
  state_reason: ColumnType<string | null, string | null | undefined>;
}

export interface PostPartitionsTable {
  run_id: number;
  partition_index: number;
  sectors: Buffer;
  recovering: Buffer;
  skipped: Buffer;
  state: 'checking' | 'proving' | 'proven' | 'sending' | 'left-out' | 'landed' | 'missed';
  task_id: string | null;
  proof: Buffer | null;
  message_id: string | null;
  /** Most partitions in a message of this one; 0: no limit of its own. */
  message_limit: Generated<number>;
  commitment: Generated<Buffer | null>;
  took_ms: Generated<number | null>;
  proving_epoch: Generated<number | null>;
  /** JSON. */
  corrupt_copies: Generated<string | null>;
  refused_proofs: Generated<number>;
  refused_proof: Generated<Buffer | null>;
  reason: string | null;
  proving_at: number | null;
  proven_at: number | null;
  finished_at: number | null;
}

export interface RecoveriesTable {
  message_id: string;
  miner_id: number;
  deadline: number;
  partition_index: number;
  open_epoch: number;
  sectors: Buffer;
  created_at: number;
}
