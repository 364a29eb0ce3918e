import type { Address } from '../../../../filecoin/address.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import { newDeadline, nextNotElapsed } from '../../../../filecoin/deadline.ts';
import type { Node } from '../../node.ts';
import {
  activeSectors,
  currentDeadline,
  type Deadline,
  type MinerState,
  type Partition,
  sectorUnion,
} from '../../state/miner-state.ts';
import { deadlineJson, sectorJson } from '../json.ts';
import { minerAt, tipSetAt } from '../lookups.ts';
import { method } from '../method.ts';
import { address, bitfield, sectorNumber, tipSetKey, uint } from '../params.ts';
import type { Methods } from '../protocol.ts';
import { RpcCode, rpcError } from '../rpc-error.ts';

/** Of a miner's sectors all count ten times where they hold verified deals; here none do. */
const power = (bytes: number): unknown => ({ RawBytePower: String(bytes), QualityAdjPower: String(bytes) });

export function minerMethods({ chain }: Node): Methods {
  const ofMiner = (answer: (miner: MinerState) => unknown) =>
    method('read', [address, tipSetKey], (wanted, key) => answer(minerAt(tipSetAt(chain, key), wanted)));
  const at = (wanted: Address, key: readonly string[]): MinerState => minerAt(tipSetAt(chain, key), wanted);
  return {
    'Filecoin.StateMinerInfo': ofMiner(infoJson),
    'Filecoin.StateMinerProvingDeadline': method('read', [address, tipSetKey], (wanted, key) => {
      const tipSet = tipSetAt(chain, key);
      const { periodStart, index } = currentDeadline(minerAt(tipSet, wanted), tipSet.height);
      return deadlineJson(nextNotElapsed(newDeadline(periodStart, index, tipSet.height)));
    }),
    'Filecoin.StateMinerDeadlines': ofMiner((miner) =>
      miner.deadlines.map(({ posted, snapshot }) => ({
        PostSubmissions: posted.toJsonRuns(),
        DisputableProofCount: snapshot.proofs.length,
        DailyFee: '0',
      })),
    ),
    'Filecoin.StateMinerPartitions': method('read', [address, uint, tipSetKey], (wanted, index, key) => {
      const deadline = at(wanted, key).deadlines[index];
      if (deadline === undefined)
        throw rpcError(RpcCode.plain, `failed to load the deadline: invalid deadline ${index}`);
      return deadline.partitions.length === 0 ? null : deadline.partitions.map(partitionJson);
    }),
    'Filecoin.StateMinerSectors': method('read', [address, bitfield, tipSetKey], (wanted, field, key) => {
      const miner = at(wanted, key);
      const numbers = field ?? Bitfield.of(miner.sectors.keys());
      return [...numbers.intersection(Bitfield.of(miner.sectors.keys()))].map((number) => sectorAt(miner, number));
    }),
    'Filecoin.StateMinerActiveSectors': ofMiner((miner) =>
      [...allPartitions(miner, activeSectors)].map((number) => sectorAt(miner, number)),
    ),
    'Filecoin.StateMinerFaults': ofMiner((miner) => allPartitions(miner, ({ faulty }) => faulty).toJsonRuns()),
    'Filecoin.StateMinerRecoveries': ofMiner((miner) =>
      allPartitions(miner, ({ recovering }) => recovering).toJsonRuns(),
    ),
    'Filecoin.StateSectorGetInfo': method('read', [address, sectorNumber, tipSetKey], (wanted, number, key) =>
      sectorAt(at(wanted, key), number),
    ),
    'Filecoin.StateSectorPartition': method('read', [address, sectorNumber, tipSetKey], (wanted, number, key) =>
      locationOf(at(wanted, key), number),
    ),
    'Filecoin.StateMinerPower': method('read', [address, tipSetKey], (wanted, key) => {
      const miners = [...tipSetAt(chain, key).state.miners.values()];
      const total = miners.reduce((sum, miner) => sum + activeBytes(miner), 0);
      return { MinerPower: power(activeBytes(at(wanted, key))), TotalPower: power(total), HasMinPower: true };
    }),
    'Filecoin.StateMinerAvailableBalance': ofMiner(() => '0'),
  };
}

function infoJson(miner: MinerState): unknown {
  const owner = `t0${miner.owner}`;
  return {
    Owner: owner,
    Worker: `t0${miner.worker}`,
    NewWorker: '<empty>',
    ControlAddresses: miner.control.length === 0 ? null : miner.control.map((id) => `t0${id}`),
    WorkerChangeEpoch: -1,
    PeerId: '12D3KooWAy17J1MJJ8MThikpcK3A7RX7JbdmsvzuVydASSdz4ovb',
    Multiaddrs: null,
    WindowPoStProofType: miner.proofType.number,
    SectorSize: miner.proofType.sectorSize,
    WindowPoStPartitionSectors: miner.proofType.partitionSectors,
    ConsensusFaultElapsed: -1,
    PendingOwnerAddress: null,
    Beneficiary: owner,
    BeneficiaryTerm: { Quota: '0', UsedQuota: '0', Expiration: 0 },
    PendingBeneficiaryTerm: null,
  };
}

function partitionJson(partition: Partition): unknown {
  return {
    AllSectors: partition.all.toJsonRuns(),
    FaultySectors: partition.faulty.toJsonRuns(),
    RecoveringSectors: partition.recovering.toJsonRuns(),
    LiveSectors: partition.all.toJsonRuns(),
    ActiveSectors: activeSectors(partition).toJsonRuns(),
  };
}

const allPartitions = (miner: MinerState, select: (partition: Partition) => Bitfield): Bitfield =>
  sectorUnion(
    miner.deadlines.flatMap(({ partitions }: Deadline) => partitions),
    select,
  );

const activeBytes = (miner: MinerState): number =>
  allPartitions(miner, activeSectors).count * miner.proofType.sectorSize;

function sectorAt(miner: MinerState, number: number): unknown {
  const sector = miner.sectors.get(number);
  return sector === undefined ? null : sectorJson(miner, sector);
}

function locationOf(miner: MinerState, number: number): unknown {
  for (const [deadline, { partitions }] of miner.deadlines.entries()) {
    const partition = partitions.findIndex(({ all }) => all.has(number));
    if (partition >= 0) return { Deadline: deadline, Partition: partition };
  }
  throw rpcError(RpcCode.plain, `failed to find sector ${number}`);
}
