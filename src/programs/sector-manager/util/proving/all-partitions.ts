import type { Partition } from '../../../../chain/miner-state.ts';
import type { MinerScope } from './miner-scope.ts';

const SIDE_BY_SIDE = 8;

/** The partitions of all deadlines, by deadline. */
export async function allPartitions({ chain, address, head, current }: MinerScope): Promise<Partition[][]> {
  const indices = Array.from({ length: current.policy.periodDeadlines }, (_, index) => index);
  const found: Partition[][] = [];
  for (let start = 0; start < indices.length; start += SIDE_BY_SIDE) {
    const some = indices.slice(start, start + SIDE_BY_SIDE);
    found.push(...(await Promise.all(some.map((index) => chain.partitions(address, index, head.key)))));
  }
  return found;
}

/** How many sectors a kind of bit field holds over these partitions. */
export function countOf(partitions: readonly Partition[], kind: 'live' | 'faulty' | 'recovering'): number {
  return partitions.reduce((sum, partition) => sum + partition[kind].count, 0);
}
