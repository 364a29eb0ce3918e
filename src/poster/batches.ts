import { sharesMessage } from '../filecoin/partitions.ts';
import { ADDRESSED_SECTORS_MAX } from '../filecoin/policy.ts';
import { provenSectors, type RunPartition } from './run.ts';

/**
 * Which proven partitions leave together, as lists of partition indices. Recovering partitions go alone (the chain verifies them
 * at once, which costs gas); the others share a message of up to `max` partitions, or of up to the lowest limit among them, where
 * the verifier will cut the sorted union back into exactly these partitions. Partitions of 25,000 sectors at most are addressed.
 */
export function batchPartitions(
  partitions: readonly RunPartition[],
  max: number,
  partitionSectors: number,
): number[][] {
  const most = Math.min(max, Math.floor(ADDRESSED_SECTORS_MAX / partitionSectors));
  const limit = (partition: RunPartition) => {
    if (!partition.recovering.isEmpty) return 1;
    return partition.messageLimit === 0 ? most : Math.min(most, partition.messageLimit);
  };
  const batches: RunPartition[][] = [];
  for (const partition of partitions.toSorted((a, b) => a.index - b.index)) {
    const last = batches.at(-1);
    const joined = [...(last ?? []), partition];
    const fits =
      last !== undefined &&
      joined.length <= Math.min(...joined.map(limit)) &&
      sharesMessage(
        joined.map((one) => [...provenSectors(one)]),
        partitionSectors,
      );
    if (fits) last.push(partition);
    else batches.push([partition]);
  }
  return batches.map((batch) => batch.map((partition) => partition.index));
}
