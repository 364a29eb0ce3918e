import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { sealedCid } from '../../src/filecoin/cid.ts';
import { deadlineAt } from '../../src/filecoin/deadline.ts';
import {
  DEADLINES,
  GENESIS_S,
  PARTITION_SECTORS,
  PROOF_32GIB,
  partitionSectors,
  SECTOR_BYTES,
  tipSetCid,
} from './shape.ts';

// A chain node with one large provider, as a process of its own: it answers from the tipset key alone, and says at its end how much
// it was asked. Its answers have the size of a real node's.
const partitions = Number(process.argv[2]);
const HEIGHTS = 3_000;

const heights = new Map(Array.from({ length: HEIGHTS }, (_, height) => [tipSetCid(height), height]));
const fields = new Map<string, Bitfield>();
const fieldOf = (deadline: number, partition: number): Bitfield => {
  const key = `${deadline}/${partition}`;
  const field = fields.get(key) ?? Bitfield.of(partitionSectors(deadline, partition, partitions));
  fields.set(key, field);
  return field;
};
const tipSet = (height: number) => ({
  Cids: [{ '/': tipSetCid(height) }],
  Blocks: [{ Timestamp: GENESIS_S + height * 30, ParentBaseFee: '100' }],
  Height: height,
});
const heightOf = (key: readonly { '/': string }[]) => heights.get(key[0]?.['/'] ?? '') ?? 0;
const sealed = sealedCid(new Uint8Array(32).fill(1)).toString();
const unsealed = { '/': 'baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq' };
const sector = (number: number) => ({
  SectorNumber: number,
  SealProof: 8,
  SealedCID: { '/': sealed },
  DealIDs: null,
  Activation: 1_234_567,
  Expiration: 3_456_789,
  DealWeight: '0',
  VerifiedDealWeight: '75557863725914323419136000',
  InitialPledge: '152345678901234567',
  ExpectedDayReward: '312345678901234',
  ExpectedStoragePledge: '6123456789012345',
  PowerBaseEpoch: 1_234_567,
  ReplacedDayReward: '0',
  SectorKeyCID: null,
  Flags: 1,
  DailyFee: '1234567890123',
  UnsealedCID: unsealed,
});

const handlers: Record<string, (...params: never[]) => unknown> = {
  ChainHead: () => tipSet(0),
  ChainGetGenesis: () => tipSet(0),
  ChainGetTipSetByHeight: (height: number) => tipSet(height),
  StateNetworkName: () => 'bench',
  StateNetworkVersion: () => 25,
  StateMinerInfo: () => ({
    Owner: 't0101',
    Worker: 't0101',
    ControlAddresses: null,
    WindowPoStProofType: PROOF_32GIB,
    SectorSize: SECTOR_BYTES,
    WindowPoStPartitionSectors: PARTITION_SECTORS,
  }),
  StateMinerAvailableBalance: () => '1000000000000000000',
  StateMinerProvingDeadline: (_: string, key: readonly { '/': string }[]) => {
    const { policy, ...at } = deadlineAt(0, heightOf(key));
    return {
      CurrentEpoch: at.currentEpoch,
      PeriodStart: at.periodStart,
      Index: at.index,
      Open: at.open,
      Close: at.close,
      Challenge: at.challenge,
      FaultCutoff: at.faultCutoff,
      WPoStPeriodDeadlines: policy.periodDeadlines,
      WPoStProvingPeriod: policy.provingPeriod,
      WPoStChallengeWindow: policy.challengeWindow,
      WPoStChallengeLookback: policy.challengeLookback,
      FaultDeclarationCutoff: policy.faultDeclarationCutoff,
    };
  },
  StateMinerDeadlines: () =>
    Array.from({ length: DEADLINES }, () => ({ PostSubmissions: [0], DisputableProofCount: 0 })),
  StateMinerPartitions: (_: string, deadline: number) =>
    Array.from({ length: partitions }, (_each, partition) => {
      const runs = fieldOf(deadline, partition).toJsonRuns();
      return { AllSectors: runs, FaultySectors: [0], RecoveringSectors: [0], LiveSectors: runs, ActiveSectors: runs };
    }),
  StateMinerSectors: (_: string, runs: number[] | null) =>
    runs === null ? [] : [...Bitfield.fromJsonRuns(runs)].map(sector),
  StateGetRandomnessFromBeacon: () => Buffer.alloc(32, 7).toString('base64'),
  StateGetRandomnessFromTickets: () => Buffer.alloc(32, 7).toString('base64'),
  StateLookupID: (address: string) => address,
  StateAccountKey: (address: string) => address,
  WalletHas: () => true,
};

const asked = new Map<string, { calls: number; bytes: number; largest: number }>();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, method, params } = JSON.parse(data.toString()) as { id?: number; method: string; params: never[] };
    const name = method.replace('Filecoin.', '');
    const handler = handlers[name];
    const answer =
      handler === undefined
        ? { jsonrpc: '2.0', id, error: { code: -32601, message: `method '${method}' not found` } }
        : { jsonrpc: '2.0', id, result: handler(...params) };
    const text = JSON.stringify(answer);
    const sum = asked.get(name) ?? { calls: 0, bytes: 0, largest: 0 };
    asked.set(name, {
      calls: sum.calls + 1,
      bytes: sum.bytes + text.length,
      largest: Math.max(sum.largest, text.length),
    });
    socket.send(text);
  });
});
server.once('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => process.send?.({ asked: Object.fromEntries(asked) }));
