/** What the chain tells on its standard output, one JSON line each. */
export type DevnetEvent =
  | {
      readonly event: 'verified' | 'disputed';
      readonly miner: number;
      readonly deadline: number;
      readonly partition: readonly number[];
      readonly sectors: number;
      readonly message: string;
      readonly reason?: string;
    }
  | {
      readonly event: 'missed';
      readonly miner: number;
      readonly deadline: number;
      readonly partition: readonly number[];
      readonly epoch: number;
    };

/** How the miners did so far. `ok` while no proof was found bad. */
export interface Verdict {
  readonly ok: boolean;
  readonly verified: number;
  readonly disputed: number;
  readonly missed: number;
  /** Recorded proofs not verified yet: their deadline is still open. */
  readonly unverified: number;
}
