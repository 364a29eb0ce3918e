import type { SectorInfo } from '../../../../chain/sector-info.ts';
import { CodedError } from '../../../../errors/coded-error.ts';
import type { Bitfield } from '../../../../filecoin/bitfield.ts';
import { type DeadlineInfo, newDeadline, nextNotElapsed } from '../../../../filecoin/deadline.ts';
import { SectorIndex } from '../../../../stores/index/sector-index.ts';
import { configuredStores } from '../../../../stores/scan/configured-stores.ts';
import { StoreChecker } from '../../../../stores/store-checker.ts';
import type { Toolbox } from '../toolbox.ts';
import type { MinerScope } from './miner-scope.ts';
import { usage } from './usage.ts';

/** One partition with what proving it takes. */
export interface PartitionScope extends MinerScope {
  /** The window that is open or opens next. */
  readonly deadline: DeadlineInfo;
  readonly partition: number;
  /** RegisteredPoStProof number. */
  readonly proofType: number;
  /** To prove: (live - faulty) ∪ recovering, or all live ones. */
  readonly wanted: Bitfield;
  readonly infos: ReadonlyMap<number, SectorInfo>;
}

/** @throws CodedError `usage` where there is no such partition, `nothing-to-prove` */
export async function partitionScope(
  scope: MinerScope,
  place: { readonly deadline: number; readonly partition: number; readonly includeFaulty: boolean },
): Promise<PartitionScope> {
  const { chain, address, head, current } = scope;
  const deadline = nextNotElapsed(newDeadline(current.periodStart, place.deadline, head.height, current.policy));
  const [info, partitions] = await Promise.all([
    chain.minerInfo(address, head.key),
    chain.partitions(address, place.deadline, head.key),
  ]);
  const partition = partitions[place.partition];
  if (partition === undefined) {
    throw usage(`deadline ${place.deadline} has ${partitions.length} partitions, so there is no ${place.partition}`);
  }
  const wanted = place.includeFaulty
    ? partition.live
    : partition.live.subtract(partition.faulty).union(partition.recovering);
  if (wanted.isEmpty) {
    throw new CodedError(
      'nothing-to-prove',
      `deadline ${place.deadline}, partition ${place.partition} has no sector to prove` +
        (partition.live.isEmpty ? '' : '; all of them are faulty: --include-faulty takes them in'),
    );
  }
  const sectors = await chain.sectors(address, wanted, head.key);
  return {
    ...scope,
    deadline,
    partition: place.partition,
    proofType: info.windowPoStProofType,
    wanted,
    infos: new Map(sectors.map((sector) => [sector.number, sector])),
  };
}

/** Looks into the stores of sector-manager.cfg until the command ends; without a database into all of them for each sector. */
export async function storeChecker(toolbox: Toolbox): Promise<StoreChecker> {
  const { stores } = await configuredStores(toolbox, (await toolbox.config()).common);
  if (stores.length === 0) {
    throw new CodedError('no-stores', 'sector-manager.cfg has no [[Common.PersistStores]], so no sector can be found');
  }
  const db = await toolbox.database().catch(() => undefined);
  const index = db && new SectorIndex({ db });
  const checker = new StoreChecker({ ...toolbox, ...(index && { index }) }, { stores });
  toolbox.onClose(() => checker.close());
  return checker;
}
