import { CodedError } from '../../../errors/coded-error.ts';
import { idAddress } from '../../../filecoin/address.ts';
import { Bitfield } from '../../../filecoin/bitfield.ts';
import { provingPeriodOffset } from '../../../filecoin/deadline.ts';
import { mainnetPolicy } from '../../../filecoin/policy.ts';
import type { PoStProofType } from '../../../filecoin/proof-types.ts';
import type { Deadline, MinerState, Partition, Sector } from './miner-state.ts';

export interface GenesisSector {
  readonly number: number;
  readonly commR: Uint8Array;
  /** The deadline it stands in; without one it is put where there is room, from deadline 0 up. */
  readonly deadline?: number;
}

export interface GenesisMiner {
  readonly id: number;
  readonly owner: number;
  readonly worker: number;
  readonly proofType: PoStProofType;
  readonly sectors: readonly GenesisSector[];
  /** How many partitions a deadline takes before the next one is filled. */
  readonly partitionsPerDeadline: number;
}

/** About as long as sectors of a new network live. */
const LIFETIME = 1276 * 2880;

/** A miner with the proving period of one made in epoch 0; all its sectors are active from `epoch` on. */
export function genesisMiner(init: GenesisMiner, epoch: number): MinerState {
  const sectors = new Map<number, Sector>();
  for (const { number, commR } of init.sectors) {
    if (sectors.has(number))
      throw new CodedError('duplicate-sector', `sector ${number} of miner t0${init.id} is given twice`);
    sectors.set(number, { number, commR, activation: epoch, expiration: epoch + LIFETIME });
  }
  return {
    id: init.id,
    owner: init.owner,
    worker: init.worker,
    control: [],
    createdAt: epoch,
    periodOffset: provingPeriodOffset(idAddress(init.id), 0),
    proofType: init.proofType,
    sectors,
    deadlines: assign(init).map((numbers) => emptyDeadline(partitionsOf(numbers, init.proofType.partitionSectors))),
  };
}

/** Sector numbers by deadline. */
function assign(init: GenesisMiner): number[][] {
  const deadlines: number[][] = Array.from({ length: mainnetPolicy.periodDeadlines }, () => []);
  const room = init.partitionsPerDeadline * init.proofType.partitionSectors;
  for (const sector of [...init.sectors].sort(
    (a, b) => Number(b.deadline !== undefined) - Number(a.deadline !== undefined),
  )) {
    const chosen =
      sector.deadline === undefined ? deadlines.find((numbers) => numbers.length < room) : deadlines[sector.deadline];
    if (chosen === undefined) {
      throw new CodedError(
        'no-room',
        `sector ${sector.number} of miner t0${init.id} finds no deadline; use more partitions per deadline`,
      );
    }
    chosen.push(sector.number);
  }
  return deadlines;
}

function partitionsOf(numbers: readonly number[], size: number): Partition[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  return Array.from({ length: Math.ceil(sorted.length / size) }, (_, index) => ({
    all: Bitfield.of(sorted.slice(index * size, (index + 1) * size)),
    faulty: Bitfield.empty,
    recovering: Bitfield.empty,
  }));
}

function emptyDeadline(partitions: readonly Partition[]): Deadline {
  return { partitions, posted: Bitfield.empty, proofs: [], snapshot: { partitions, proofs: [] } };
}
