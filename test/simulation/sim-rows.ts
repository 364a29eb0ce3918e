import type { Bitfield } from '../../src/filecoin/bitfield.ts';
import { Bitfield as Field } from '../../src/filecoin/bitfield.ts';
import type { PartitionState, Run, RunPartition } from '../../src/poster/run.ts';

/** What the database has of a run. */
export interface Row {
  run: Run;
  finished: boolean;
}

export function newPartition(index: number, sectors: Bitfield, recovering: Bitfield): RunPartition {
  return {
    index,
    state: 'checking',
    sectors,
    recovering,
    skipped: Field.empty,
    taskId: null,
    proof: null,
    messageId: null,
    messageLimit: 0,
    commitment: null,
    provingEpoch: null,
    corrupt: [],
    refusedProofs: 0,
    refusedProof: null,
  };
}

/** As `movePartition`: nothing happens to one that is in another state, or of which something else was decided. */
export function move(
  row: Row,
  decided: Run,
  index: number,
  from: PartitionState,
  changes: Partial<RunPartition>,
): boolean {
  const before = decided.partitions.find((one) => one.index === index);
  let moved = false;
  const partitions = row.run.partitions.map((one) => {
    const isSame = one.taskId === before?.taskId && one.messageId === before.messageId;
    if (one.index !== index || one.state !== from || !isSame) return one;
    moved = true;
    return { ...one, ...changes };
  });
  if (moved) row.run = { ...row.run, partitions };
  return moved;
}

const NOT_REFUSED = { refusedProof: null, refusedProofs: 0 } as const;

/** The rows' part of `restartRun`. Returns the messages that must not land any more. */
export function restart(row: Row, run: Run, randomness: Uint8Array): string[] {
  const partitions = row.run.partitions.map((one): RunPartition => {
    if (one.state === 'missed') return one;
    if (one.state === 'landed') return { ...one, proof: null };
    return { ...one, state: 'checking', taskId: null, proof: null, ...NOT_REFUSED, messageId: null, commitment: null };
  });
  row.run = { ...row.run, randomness, partitions };
  return run.partitions.flatMap(({ state, messageId }) =>
    state === 'sending' && messageId !== null ? [messageId] : [],
  );
}

const known = new Map<number, Uint8Array>();

/** Randomness is the id of a block; the poster sees bytes. */
export function randomnessBytes(randomness: number): Uint8Array {
  const bytes = known.get(randomness) ?? new Uint8Array(32);
  if (!known.has(randomness)) {
    new DataView(bytes.buffer).setUint32(0, randomness);
    known.set(randomness, bytes);
  }
  return bytes;
}

export const randomnessOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
