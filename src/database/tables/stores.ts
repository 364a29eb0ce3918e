/** sql/0012-stores.sql. Times are milliseconds since 1970. */
export interface StoresTable {
  name: string;
  path: string;
  attached_at: number;
  /** Of the last scan that came to its end. */
  scanned_at: number | null;
  scan_ms: number | null;
  sector_count: number | null;
  strange_count: number | null;
}

export interface StoreSectorsTable {
  miner_id: number;
  upgraded: 0 | 1;
  /** The first sector number is 4,096 times this. */
  block: number;
  store: string;
  sealed: Buffer;
  cache: Buffer;
}

export interface StoreFindingsTable {
  store: string;
  miner_id: number;
  sector_number: number;
  upgraded: 0 | 1;
  kind: string;
  reason: string;
  since: number;
  seen_at: number;
}
