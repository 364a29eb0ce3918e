import type { Bitfield } from '../filecoin/bitfield.ts';
import type { SectorCopy } from '../stores/sector-check.ts';
import type { RunStateName } from './run-state.ts';

/** One proving deadline of one proving period of one miner. Epochs are the chain's. */
export interface Run {
  readonly id: number;
  readonly minerId: number;
  readonly periodStart: number;
  readonly deadline: number;
  readonly challenge: number;
  readonly open: number;
  readonly close: number;
  /** RegisteredPoStProof number. */
  readonly proofType: number;
  /** Challenge randomness as the chain gave it at the snapshot (not masked). */
  readonly randomness: Uint8Array;
  readonly partitions: readonly RunPartition[];
  /** As last stored; see `runState`. */
  readonly state: RunStateName;
  readonly stateReason: string | null;
}

/**
 * checking: its sectors' files are looked at, no task yet (also after faults came back)
 * proving:  a task is with the master
 * proven:   a verified proof is stored in the row
 * sending:  an intent to send it is stored in the outbox
 * left-out: at the reserve more of it than MaxSkipShare could not be read, so it is not sent; its files are looked at until Close,
 *           and it is proven yet when they come back. Then the end of it
 * landed:   accepted by the chain, with confidence (or found already proven)
 * missed:   the deadline closed first
 */
export type PartitionState = 'checking' | 'proving' | 'proven' | 'sending' | 'left-out' | 'landed' | 'missed';

export interface RunPartition {
  readonly index: number;
  readonly state: PartitionState;
  /** (live - faulty) ∪ recovering at the snapshot. */
  readonly sectors: Bitfield;
  readonly recovering: Bitfield;
  /** Subset of `sectors` left out of the proof and declared faulty with it. */
  readonly skipped: Bitfield;
  readonly taskId: string | null;
  /** 192 bytes. */
  readonly proof: Uint8Array | null;
  readonly messageId: string | null;
  /** It goes in messages of at most so many partitions, since one with more was refused; 0: no limit of its own. */
  readonly messageLimit: number;
  /** Chain commitment (ticket randomness at the challenge) in its message, 32 bytes. */
  readonly commitment: Uint8Array | null;
  /** Height of the head when its task was submitted. */
  readonly provingEpoch: number | null;
  /** Copies of its sectors that were read in this run and gave no proof. */
  readonly corrupt: readonly SectorCopy[];
  /** How often the master made another proof of it, since one that it had verified did not verify here. */
  readonly refusedProofs: number;
  /** The last one that did not. It may be our verifier that is wrong, so it is looked at again while there is no better one. */
  readonly refusedProof: Uint8Array | null;
}

export const provenSectors = (partition: RunPartition): Bitfield => partition.sectors.subtract(partition.skipped);

/** Still without a proof, and wanting one. */
export const isUnproven = ({ state }: RunPartition): boolean =>
  state === 'checking' || state === 'proving' || state === 'left-out';
