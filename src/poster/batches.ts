import { sharesMessage } from '../filecoin/partitions.ts';
import { provenSectors, type RunPartition } from './run.ts';

/**
 * Which proven partitions leave together, as lists of partition indices. Recovering partitions go alone (the chain verifies them
 * at once, which costs gas), so do solitary ones; the others share a message of up to `max` partitions where the verifier will cut
 * the sorted union back into exactly these partitions.
 */
export function batchPartitions(
  partitions: readonly RunPartition[],
  max: number,
  partitionSectors: number,
): number[][] {
  const alone = (partition: RunPartition) => partition.solitary || !partition.recovering.isEmpty;
  const batches: RunPartition[][] = [];
  for (const partition of partitions.toSorted((a, b) => a.index - b.index)) {
    const last = batches.at(-1);
    const joined = [...(last ?? []), partition];
    const fits =
      last !== undefined &&
      joined.length <= max &&
      !joined.some(alone) &&
      sharesMessage(
        joined.map((one) => [...provenSectors(one)]),
        partitionSectors,
      );
    if (fits) last.push(partition);
    else batches.push([partition]);
  }
  return batches.map((batch) => batch.map((partition) => partition.index));
}
