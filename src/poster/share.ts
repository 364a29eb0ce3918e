import { Bitfield } from '../filecoin/bitfield.ts';
import type { SectorCheck } from '../stores/sector-check.ts';
import type { RunPartition } from './run.ts';

/**
 * Days of reward that a sector loses where it is skipped, and that a recovering one loses where its partition is left out: the fault
 * fee and the day itself. An active sector of a partition left out loses 1 (docs/skipping.md).
 */
const FAULT_DAYS = 4.51;

/** What would be skipped if the partition were proven with what these checks found: bad and unknown alike. */
export function wouldSkip(partition: RunPartition, checks: readonly SectorCheck[]): Bitfield {
  return partition.skipped.union(
    Bitfield.of(checks.filter((sector) => sector.verdict !== 'good').map((sector) => sector.number)),
  );
}

/**
 * What skipping these makes newly faulty, as a share (0 to 1) of the partition. Recovering sectors are faulty already and pay
 * that day's fee either way, so skipping them costs nothing; those that are proven weigh what leaving them out would cost.
 */
function shareOf({ sectors, recovering }: RunPartition, skipped: Bitfield): number {
  const active = sectors.subtract(recovering);
  const recovered = sectors.intersection(recovering).subtract(skipped).count;
  const lost = active.intersection(skipped).count;
  return lost === 0 ? 0 : lost / (active.count + FAULT_DAYS * recovered);
}

/** Of nothing there is no proof; and from a share on, sectors declared faulty cost more than a partition not sent. */
export function isTooMuch(partition: RunPartition, skipped: Bitfield, maxSkipShare: number): boolean {
  return partition.sectors.subtract(skipped).isEmpty || shareOf(partition, skipped) > maxSkipShare;
}

/** So many at a time are a wrong mount sooner than a loss. */
export function isDoubtful({ sectors }: RunPartition, skipped: Bitfield, maxSkipShare: number): boolean {
  return skipped.count >= sectors.count || skipped.count > maxSkipShare * sectors.count;
}
