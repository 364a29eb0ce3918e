import { z } from 'zod';
import { CodedError } from '../errors/coded-error.ts';
import { addressJson, amountJson, bitfieldJson, bytesJson, cidJson, listJson } from './json-values.ts';
import {
  invocationJson,
  messageJson,
  messageLookupJson,
  pendingJson,
  signedMessageJson,
} from './message-result-json.ts';
import {
  deadlinesJson,
  minerInfoJson,
  partitionsJson,
  provingDeadlineJson,
  sectorJson,
  sectorsJson,
} from './miner-json.ts';
import { tipSetJson } from './tipset-json.ts';

const randomnessJson = bytesJson.refine((bytes) => bytes.length === 32, 'randomness has 32 bytes');
const signatureJson = z.object({ Type: z.int(), Data: bytesJson });
const powerJson = z.object({ RawBytePower: amountJson, QualityAdjPower: amountJson });

/** What a Lotus-compatible node answers to the methods of window PoSt: the form we read and refuse to go beyond. */
export const resultSchemas = {
  ChainGetGenesis: tipSetJson,
  ChainGetMessage: messageJson,
  ChainGetTipSet: tipSetJson,
  ChainGetTipSetAfterHeight: tipSetJson,
  ChainGetTipSetByHeight: tipSetJson,
  ChainHead: tipSetJson,
  /** The id of the channel, over WebSocket only. */
  ChainNotify: z.int(),
  GasEstimateFeeCap: amountJson,
  GasEstimateGasLimit: z.int(),
  GasEstimateGasPremium: amountJson,
  GasEstimateMessageGas: messageJson,
  MpoolGetNonce: z.int(),
  MpoolPending: pendingJson,
  MpoolPush: cidJson,
  MpoolPushMessage: signedMessageJson,
  StateAccountKey: addressJson,
  StateCall: invocationJson,
  StateGetActor: z.object({ Nonce: z.int(), Balance: amountJson }),
  StateGetRandomnessFromBeacon: randomnessJson,
  StateGetRandomnessFromTickets: randomnessJson,
  StateListMessages: listJson(cidJson),
  StateListMiners: listJson(addressJson),
  StateLookupID: addressJson,
  StateMinerActiveSectors: sectorsJson,
  StateMinerAvailableBalance: amountJson,
  StateMinerDeadlines: deadlinesJson,
  StateMinerFaults: bitfieldJson,
  StateMinerInfo: minerInfoJson,
  StateMinerPartitions: partitionsJson,
  StateMinerPower: z.object({ MinerPower: powerJson, TotalPower: powerJson, HasMinPower: z.boolean() }),
  StateMinerProvingDeadline: provingDeadlineJson,
  StateMinerRecoveries: bitfieldJson,
  StateMinerSectors: sectorsJson,
  StateNetworkName: z.string(),
  StateNetworkVersion: z.int(),
  StateReplay: invocationJson,
  StateSearchMsg: messageLookupJson.nullable(),
  StateSectorGetInfo: sectorJson.nullable(),
  StateSectorPartition: z.object({ Deadline: z.int(), Partition: z.int() }),
  StateWaitMsg: messageLookupJson,
  SyncState: z.object({ ActiveSyncs: listJson(z.object({ Stage: z.int(), Height: z.int() })) }),
  Version: z.object({ Version: z.string(), APIVersion: z.int(), BlockDelay: z.int() }),
  WalletBalance: amountJson,
  WalletDefaultAddress: addressJson,
  WalletHas: z.boolean(),
  WalletSign: signatureJson,
  WalletSignMessage: signedMessageJson,
} as const;

/** Without the `Filecoin.` in front. */
export type LotusMethod = keyof typeof resultSchemas;

export type LotusResult<M extends LotusMethod> = z.output<(typeof resultSchemas)[M]>;

/** @throws CodedError `chain-answer` with the path of what is wrong */
export function parseResult<M extends LotusMethod>(method: M, json: unknown): LotusResult<M> {
  const parsed = resultSchemas[method].safeParse(json);
  // The compiler does not see that a member of the map belongs to its key.
  if (parsed.success) return parsed.data as LotusResult<M>;
  throw unknownAnswer(method, parsed.error);
}

export function unknownAnswer(method: string, error: z.ZodError): CodedError {
  const [issue] = error.issues;
  const at = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  return new CodedError(
    'chain-answer',
    `the chain node's answer to ${method} has an unknown form${at}: ${issue?.message}`,
  );
}
