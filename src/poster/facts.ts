import type { SectorCheck } from '../stores/sector-check.ts';

/** What is known about one partition beside its row; absent where it was not asked or could not be answered. */
export interface PartitionFacts {
  /** The newest look at the files of the sectors still to prove. */
  readonly checks?: { readonly atEpoch: number; readonly sectors: readonly SectorCheck[] };
  readonly task?: TaskFact;
  readonly message?: MessageFact;
  /** Whether the chain counts this partition as proven in this deadline. */
  readonly posted?: boolean;
  /** Nothing new is tried before this epoch: the pause after a failure. */
  readonly pausedUntil?: number;
}

export type TaskFact =
  | { readonly state: 'running' }
  | { readonly state: 'proven'; readonly proof: Uint8Array }
  | { readonly state: 'faulted'; readonly faults: readonly SectorFault[] }
  | { readonly state: 'failed'; readonly reason: string };

export interface SectorFault {
  readonly sector: number;
  readonly class: 'bad' | 'unknown';
  readonly reason: string;
}

export type MessageFact =
  | { readonly state: 'pending' }
  | { readonly state: 'landed' }
  | { readonly state: 'failed'; readonly reason: string };

export interface Facts {
  /** Height of the head. */
  readonly height: number;
  /** Challenge randomness as the chain gives it now; absent when it could not be read. */
  readonly randomness?: Uint8Array;
  readonly partitions: ReadonlyMap<number, PartitionFacts>;
}

/** What an operator may set for a miner ([Miners.PoSt]) and what the network allows. Lengths in epochs. */
export interface PostPolicy {
  readonly submitConfidence: number;
  /** Partitions in one message: the smaller of MaxPartitionsPerPoStMessage and the network's limit. */
  readonly maxPartitions: number;
  /** So long before Close nothing is waited for any more. */
  readonly reserve: number;
  /** Between two looks at sectors that could not be read. */
  readonly recheckInterval: number;
}
