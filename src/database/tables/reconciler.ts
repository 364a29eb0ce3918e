import type { Generated } from 'kysely';

/** sql/0013-reconciler.sql. Times are milliseconds since 1970. */
export interface StoreReconciliationsTable {
  store: string;
  began_at: number;
  /** Of the last one that came to its end. */
  ended_at: number | null;
  sectors: Generated<number>;
  findings: Generated<number>;
  /** Why the newest one did not. */
  trouble: string | null;
}
