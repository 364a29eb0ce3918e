import type { Generated } from 'kysely';

/** sql/0005-cluster.sql. Times are milliseconds since 1970 by the database's clock. */
export interface LeadershipTable {
  /** 1: the masters', 2: the managers'. */
  id: number;
  epoch: number;
  /** Name of the process that leads. */
  master: string;
  taken_at: number;
}

/** Of `managers` too (sql/0009-manager.sql). */
export interface MastersTable {
  name: string;
  address: string;
  started_at: number;
  /** 0: it resigned. */
  seen_at: number;
}

export interface SlavesTable {
  name: string;
  remote: string;
  version: number;
  slots: number;
  sector_size: number | null;
  joined_at: number;
  left_at: number | null;
  drained: Generated<number>;
  held_until: Generated<number>;
}

export interface ProvingSeedsTable {
  miner_id: number;
  /** 32 bytes in hexadecimal. */
  seed: string;
  first_seen_at: number;
}
