import { Bitfield } from '../../../filecoin/bitfield.ts';
import type { Deadline, Partition } from '../state/miner-state.ts';
import { abort, abortingWith, Exit } from './abort.ts';

export interface ProvenSectors {
  readonly deadline: Deadline;
  readonly partitions: Bitfield;
  /** The sectors that the proof must cover. */
  readonly proven: Bitfield;
  /** Those of them that were faulty before. */
  readonly recovered: Bitfield;
}

/** Books a submission: skipped sectors become faulty, recovering ones healthy, the partitions count as posted. */
export function recordProvenSectors(
  deadline: Deadline,
  posts: readonly { readonly index: number; readonly skipped: Bitfield }[],
): ProvenSectors {
  const indexes = Bitfield.of(posts.map(({ index }) => index));
  if (indexes.count !== posts.length) throw abort(Exit.illegalArgument, 'duplicate partitions proven');
  const again = deadline.posted.intersection(indexes);
  if (!again.isEmpty) {
    throw abort(
      Exit.illegalArgument,
      `partition already proven: BitField { ranges: [${ranges(again)}], set: {}, unset: {} }`,
    );
  }
  const partitions = [...deadline.partitions];
  let proven = Bitfield.empty;
  let recovered = Bitfield.empty;
  for (const { index, skipped } of posts) {
    const partition = partitions[index];
    if (partition === undefined) throw abort(Exit.notFound, `no such partition ${index}`);
    const skippedFaults = abortingWith(`failed to add skipped faults to partition ${index}`, () =>
      skip(partition, skipped),
    );
    recovered = recovered.union(skippedFaults.recovering);
    const faulty = skippedFaults.faulty.subtract(skippedFaults.recovering);
    partitions[index] = { ...partition, faulty, recovering: Bitfield.empty };
    proven = proven.union(partition.all.subtract(faulty));
  }
  return {
    deadline: { ...deadline, partitions, posted: deadline.posted.union(indexes) },
    partitions: indexes,
    proven,
    recovered,
  };
}

function skip(partition: Partition, skipped: Bitfield): Partition {
  if (!skipped.subtract(partition.all).isEmpty) {
    throw abort(Exit.illegalArgument, 'skipped faults contains sectors outside partition');
  }
  return { ...partition, faulty: partition.faulty.union(skipped), recovering: partition.recovering.subtract(skipped) };
}

function ranges(field: Bitfield): string {
  const texts: string[] = [];
  let position = 0n;
  for (const [index, length] of field.runLengths().entries()) {
    if (index % 2 === 1) texts.push(`${position}..${position + length}`);
    position += length;
  }
  return texts.join(', ');
}
