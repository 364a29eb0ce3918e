import { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { Pace, PostPolicy } from '../../src/poster/facts.ts';
import type { Run, RunPartition } from '../../src/poster/run.ts';

export const policy: PostPolicy = {
  submitConfidence: 4,
  messageConfidence: 10,
  maxPartitions: 3,
  recheckInterval: 4,
  maxSkipShare: 0.5,
};

/** Reserve of a run: 15 epochs, the least. */
export const pace: Pace = { expected: 1, slow: 2, slots: 8, ahead: 0 };

export const randomness = new Uint8Array(32).fill(7);

export function partition(index: number, changes: Partial<RunPartition> = {}): RunPartition {
  return {
    index,
    state: 'checking',
    sectors: Bitfield.of([2 * index, 2 * index + 1]),
    recovering: Bitfield.empty,
    skipped: Bitfield.empty,
    taskId: null,
    proof: null,
    messageId: null,
    messageLimit: 0,
    commitment: null,
    provingEpoch: null,
    corrupt: [],
    refusedProofs: 0,
    refusedProof: null,
    ...changes,
  };
}

/** A deadline of 2 KiB sectors: challenge 80, open 100, close 160. */
export function runOf(...partitions: RunPartition[]): Run {
  return {
    id: 1,
    minerId: 1001,
    periodStart: 100,
    deadline: 0,
    challenge: 80,
    open: 100,
    close: 160,
    proofType: 10,
    randomness,
    partitions,
    state: 'ok',
    stateReason: null,
  };
}
