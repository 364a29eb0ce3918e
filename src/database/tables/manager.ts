/** sql/0009-manager.sql */
export interface AlertsTable {
  id: string;
  class: string;
  severity: 'warning' | 'critical';
  miner_id: number | null;
  deadline: number | null;
  text: string;
  /** Milliseconds since 1970. */
  since: number;
  /** Null: the webhook has not heard of it. */
  told_at: number | null;
}
