import type { SectorCheck, SectorCopy } from '../stores/sector-check.ts';

/** What is known about one partition beside its row; absent where it was not asked or could not be answered. */
export interface PartitionFacts {
  /** The newest look at the files of the sectors still to prove. */
  readonly checks?: {
    /** Of the head when it began. */
    readonly atEpoch: number;
    /** Of the head when it ended; absent: the same. */
    readonly endEpoch?: number;
    readonly sectors: readonly SectorCheck[];
  };
  readonly task?: TaskFact;
  readonly message?: MessageFact;
  /**
   * Whether the chain counts this partition as proven in this deadline; asked while the window is open. After Close: whether this
   * head's chain has executed the message that the outbox says landed.
   */
  readonly posted?: boolean;
  /** Height of the head when its refused proof was last looked at. */
  readonly lookedAgainAt?: number;
  /** Nothing new is tried before this epoch: the pause after a failure. */
  readonly pausedUntil?: number;
}

export type TaskFact =
  | { readonly state: 'running' }
  /** `tookMs`: its last attempt from start to end. */
  | { readonly state: 'proven'; readonly proof: Uint8Array; readonly tookMs: number | null }
  | { readonly state: 'faulted'; readonly faults: readonly SectorFault[] }
  | { readonly state: 'failed'; readonly reason: string };

export interface SectorFault {
  readonly sector: number;
  readonly class: 'bad' | 'unknown';
  readonly reason: string;
  /** What was read; absent where the master does not say. */
  readonly copy?: SectorCopy;
}

export type MessageFact =
  | { readonly state: 'pending' }
  /** Height of the tipset that executed it, where the outbox was told. */
  | { readonly state: 'landed'; readonly height?: number }
  | { readonly state: 'failed'; readonly reason: string };

export interface Facts {
  /** Height of the head. */
  readonly height: number;
  /** Challenge randomness as the chain gives it now; absent when it could not be read. */
  readonly randomness?: Uint8Array;
  /** What a message of this run would commit to now: the ticket randomness at the challenge; absent when it could not be read. */
  readonly commitment?: Uint8Array;
  readonly pace: Pace;
  readonly partitions: ReadonlyMap<number, PartitionFacts>;
}

/** How fast proofs come. */
export interface Pace {
  /** Epochs that one proof takes with its reads, of the last ones made: the middle one. */
  readonly expected: number;
  /** The same, all but the slowest of a hundred. */
  readonly slow: number;
  /** Proofs made side by side, at least 1. */
  readonly slots: number;
  /** Proofs of other runs that are still to make and close no later than this one: the master takes them first. */
  readonly ahead: number;
}

/** What an operator may set for a miner ([Miners.PoSt]) and what the network allows. Lengths in epochs. */
export interface PostPolicy {
  readonly submitConfidence: number;
  /** So deep under the head nothing is expected to be reorganised. */
  readonly messageConfidence: number;
  /** Partitions in one message: the smaller of MaxPartitionsPerPoStMessage and the network's limit. */
  readonly maxPartitions: number;
  /** Between two looks at sectors that could not be read. */
  readonly recheckInterval: number;
  /** Share of a partition's sectors, 0 to 1, up to which they are skipped rather than the partition left unsent. */
  readonly maxSkipShare: number;
}
