export interface Alert {
  /** What is wrong, as a stable word: `partition-at-risk`, `sender-balance`, `chain-node-behind`. */
  readonly class: string;
  readonly severity: 'warning' | 'critical';
  readonly minerId?: number;
  readonly deadline?: number;
  /** What is wrong, where, and what to do, in one line. */
  readonly text: string;
}

/** Conditions that somebody should know of. One alert for each condition, however often it is raised. */
export interface Alerts {
  /** @param condition the same for the same trouble: `partition-at-risk/1000/5/3` */
  raise(condition: string, alert: Alert): void;
  /** The condition is over; nothing happens where it was not raised. */
  resolve(condition: string): void;
}

/** What others are told about a condition. */
export interface AlertNotice extends Alert {
  /** The condition. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Milliseconds since 1970; undefined while it lasts. */
  readonly resolved?: number;
}

/** An alert that outlives its process. */
export interface KeptAlert extends AlertNotice {
  /** When somebody was told last, in milliseconds since 1970; null: never. */
  readonly toldAt: number | null;
}
