import { Bitfield } from '../filecoin/bitfield.ts';
import type { SectorCheck } from '../stores/sector-check.ts';
import type { RunPartition } from './run.ts';

/** What would be skipped if the partition were proven with what these checks found: bad and unknown alike. */
export function wouldSkip(partition: RunPartition, checks: readonly SectorCheck[]): Bitfield {
  return partition.skipped.union(
    Bitfield.of(checks.filter((sector) => sector.verdict !== 'good').map((sector) => sector.number)),
  );
}

/** The share of a partition's sectors, 0 to 1. */
export function shareOf(partition: RunPartition, skipped: Bitfield): number {
  return skipped.count / Math.max(partition.sectors.count, 1);
}

export function skipShare(partition: RunPartition, checks: readonly SectorCheck[]): number {
  return shareOf(partition, wouldSkip(partition, checks));
}
