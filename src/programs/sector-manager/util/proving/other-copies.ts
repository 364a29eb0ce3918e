import { checkSectors } from '../../../../poster/read-sectors.ts';
import type { GoodSector, SectorCopy } from '../../../../stores/sector-check.ts';
import type { StoreChecker } from '../../../../stores/store-checker.ts';
import type { PartitionScope } from './partition-scope.ts';

/**
 * The sectors of a partition with other copies in the place of those that gave no proof now. A sector of which there is no other
 * copy is left out.
 * @param tried grows by these copies
 */
export async function withOtherCopies(
  checker: Pick<StoreChecker, 'check'>,
  { minerId, proofType, infos }: Pick<PartitionScope, 'minerId' | 'proofType' | 'infos'>,
  init: {
    readonly sectors: readonly GoodSector[];
    readonly faults: ReadonlySet<number>;
    readonly tried: SectorCopy[];
    readonly signal: AbortSignal;
  },
): Promise<GoodSector[]> {
  const { sectors, faults, tried, signal } = init;
  tried.push(...sectors.filter(({ number }) => faults.has(number)));
  const wanted = [...infos.values()].filter(({ number }) => faults.has(number));
  const checks = await checkSectors(checker, { minerId, proofType, sectors: wanted, signal }, tried);
  const others = new Map(checks.flatMap((check) => (check.verdict === 'good' ? [[check.number, check]] : [])));
  return sectors.flatMap((sector) => (faults.has(sector.number) ? (others.get(sector.number) ?? []) : sector));
}
