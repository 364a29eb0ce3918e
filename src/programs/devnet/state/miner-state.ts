import { Bitfield } from '../../../filecoin/bitfield.ts';
import { type DeadlineInfo, deadlineAt, newDeadline, nextNotElapsed } from '../../../filecoin/deadline.ts';
import type { PoStProofType } from '../../../filecoin/proof-types.ts';

export interface Sector {
  readonly number: number;
  /** 32 bytes. */
  readonly commR: Uint8Array;
  readonly activation: number;
  readonly expiration: number;
}

/** Sectors are never terminated here, so all are live. `recovering` is a subset of `faulty`, which is one of `all`. */
export interface Partition {
  readonly all: Bitfield;
  readonly faulty: Bitfield;
  readonly recovering: Bitfield;
}

/** A proof that was recorded without being verified. */
export interface PostProof {
  readonly partitions: Bitfield;
  readonly proof: Uint8Array;
  /** CID of the message that brought it. */
  readonly message: string;
}

export interface Deadline {
  readonly partitions: readonly Partition[];
  /** Partitions proven while it is open. */
  readonly posted: Bitfield;
  readonly proofs: readonly PostProof[];
  /** As it was when it closed last: what can be disputed. */
  readonly snapshot: { readonly partitions: readonly Partition[]; readonly proofs: readonly PostProof[] };
}

export interface MinerState {
  readonly id: number;
  /** Actor ids. */
  readonly owner: number;
  readonly worker: number;
  readonly control: readonly number[];
  readonly createdAt: number;
  /** Epoch modulo the proving period at which its periods start. */
  readonly periodOffset: number;
  readonly proofType: PoStProofType;
  readonly sectors: ReadonlyMap<number, Sector>;
  /** One for each deadline of the period. */
  readonly deadlines: readonly Deadline[];
}

export const activeSectors = (partition: Partition): Bitfield => partition.all.subtract(partition.faulty);

/** What a proof has to cover: sectors that are not faulty, and faulty ones declared recovered. */
export const sectorsToProve = (partition: Partition): Bitfield => activeSectors(partition).union(partition.recovering);

export const currentDeadline = (miner: MinerState, epoch: number): DeadlineInfo =>
  deadlineAt(miner.periodOffset, epoch);

/** The deadline of this index that is open at `epoch` or opens next. */
export function upcomingDeadline(miner: MinerState, index: number, epoch: number): DeadlineInfo {
  return nextNotElapsed(newDeadline(currentDeadline(miner, epoch).periodStart, index, epoch));
}

export function withDeadline(miner: MinerState, index: number, deadline: Deadline): MinerState {
  return { ...miner, deadlines: miner.deadlines.with(index, deadline) };
}

export function sectorUnion(partitions: readonly Partition[], select: (partition: Partition) => Bitfield): Bitfield {
  return Bitfield.empty.union(...partitions.map(select));
}
