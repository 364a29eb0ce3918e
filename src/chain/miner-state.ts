import type { Address } from '../filecoin/address.ts';
import type { Bitfield } from '../filecoin/bitfield.ts';

/** Who may act for a miner (as id addresses) and how it proves. */
export interface MinerInfo {
  readonly owner: Address;
  readonly worker: Address;
  readonly controlAddresses: readonly Address[];
  /** RegisteredPoStProof. */
  readonly windowPoStProofType: number;
  /** Bytes. */
  readonly sectorSize: number;
  readonly windowPoStPartitionSectors: number;
  /** Last epoch in which a consensus fault keeps the miner from declaring recoveries; -1: none. */
  readonly consensusFaultElapsed: number;
}

/** Sector numbers of one partition; its index is its position in the deadline's list. */
export interface Partition {
  readonly all: Bitfield;
  readonly faulty: Bitfield;
  readonly recovering: Bitfield;
  readonly live: Bitfield;
  /** Live, neither faulty nor unproven. */
  readonly active: Bitfield;
}

export interface DeadlineState {
  /** Indexes of the partitions proven in the current proving period. */
  readonly postSubmissions: Bitfield;
  readonly disputableProofCount: number;
}
