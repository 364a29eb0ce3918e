import type { Bitfield } from '../filecoin/bitfield.ts';

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
}

/**
 * checking: its sectors' files are looked at, no task yet (also after faults came back)
 * proving:  a task is with the master
 * proven:   a verified proof is stored in the row
 * sending:  an intent to send it is stored in the outbox
 * landed:   accepted by the chain, with confidence (or found already proven)
 * missed:   the deadline closed first
 */
export type PartitionState = 'checking' | 'proving' | 'proven' | 'sending' | 'landed' | 'missed';

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
  /** Its message was refused beside others: it goes alone. */
  readonly solitary: boolean;
}

export const provenSectors = (partition: RunPartition): Bitfield => partition.sectors.subtract(partition.skipped);

export const isFinished = (partition: RunPartition): boolean =>
  partition.state === 'landed' || partition.state === 'missed';
