import type { Generated } from 'kysely';

/** sql/0005-cluster.sql. Times are milliseconds since 1970 by the database's clock. */
export interface LeadershipTable {
  /** Always 1. */
  id: number;
  epoch: number;
  master: string;
  taken_at: number;
}

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
