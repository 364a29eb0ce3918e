import { Bitfield } from '../../../filecoin/bitfield.ts';
import { faultCutoffPassed } from '../../../filecoin/deadline.ts';
import {
  ADDRESSED_PARTITIONS_MAX,
  ADDRESSED_SECTORS_MAX,
  DECLARATIONS_MAX,
  mainnetPolicy,
} from '../../../filecoin/policy.ts';
import { type MinerState, type Partition, upcomingDeadline, withDeadline } from '../state/miner-state.ts';
import { abort, abortingWith, Exit } from './abort.ts';

export interface Declaration {
  readonly deadline: number;
  readonly partition: number;
  readonly sectors: Bitfield;
}

/** Words of the error texts of one method. */
export interface DeclarationKind {
  readonly name: 'fault' | 'recovery';
  readonly declare: 'declare faults' | 'declare recoveries';
}

/** What DeclareFaults and DeclareFaultsRecovered have in common: limits, cut-off, and `change` of each partition named. */
export function declare(
  miner: MinerState,
  epoch: number,
  declarations: readonly Declaration[],
  kind: DeclarationKind,
  change: (partition: Partition, sectors: Bitfield) => Partition,
): MinerState {
  if (declarations.length > DECLARATIONS_MAX) {
    const text = `too many ${kind.name} declarations for a single message: ${declarations.length} > ${DECLARATIONS_MAX}`;
    throw abort(Exit.illegalArgument, text);
  }
  const merged = mergeByPartition(declarations);
  checkLimits(merged);
  return merged.reduce((state, declaration) => declareOne(state, epoch, declaration, kind, change), miner);
}

function mergeByPartition(declarations: readonly Declaration[]): Declaration[] {
  const merged = new Map<string, Declaration>();
  for (const { deadline, partition, sectors } of declarations) {
    if (deadline >= mainnetPolicy.periodDeadlines) {
      throw abort(
        Exit.illegalArgument,
        `failed to process deadline ${deadline}, partition ${partition}: invalid deadline ${deadline}`,
      );
    }
    const key = `${deadline}/${partition}`;
    merged.set(key, { deadline, partition, sectors: sectors.union(merged.get(key)?.sectors ?? Bitfield.empty) });
  }
  return [...merged.values()].sort((a, b) => a.deadline - b.deadline || a.partition - b.partition);
}

function checkLimits(declarations: readonly Declaration[]): void {
  const sectors = declarations.reduce((sum, declaration) => sum + declaration.sectors.count, 0);
  if (declarations.length > ADDRESSED_PARTITIONS_MAX) {
    const text = `too many partitions ${declarations.length}, max ${ADDRESSED_PARTITIONS_MAX}`;
    throw abort(Exit.illegalArgument, `cannot process requested parameters: ${text}`);
  }
  if (sectors > ADDRESSED_SECTORS_MAX) {
    const text = `too many sectors ${sectors}, max ${ADDRESSED_SECTORS_MAX}`;
    throw abort(Exit.illegalArgument, `cannot process requested parameters: ${text}`);
  }
}

function declareOne(
  miner: MinerState,
  epoch: number,
  { deadline: index, partition: number, sectors }: Declaration,
  kind: DeclarationKind,
  change: (partition: Partition, sectors: Bitfield) => Partition,
): MinerState {
  if (faultCutoffPassed(upcomingDeadline(miner, index, epoch))) {
    throw abort(
      Exit.illegalArgument,
      `failed ${kind.name} declaration at deadline ${index}: late fault or recovery declaration`,
    );
  }
  return abortingWith(`failed to ${kind.declare} for deadline ${index}`, () => {
    const deadline = miner.deadlines[index];
    const partition = deadline?.partitions[number];
    if (deadline === undefined || partition === undefined) throw abort(Exit.notFound, `no such partition ${number}`);
    if (!sectors.subtract(partition.all).isEmpty) {
      throw abort(Exit.illegalArgument, 'failed fault declaration: not all sectors are assigned to the partition');
    }
    return withDeadline(miner, index, {
      ...deadline,
      partitions: deadline.partitions.with(number, change(partition, sectors)),
    });
  });
}
