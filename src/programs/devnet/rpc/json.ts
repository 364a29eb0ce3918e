import { utf8ToBytes } from '@noble/hashes/utils.js';
import { formatAddress } from '../../../filecoin/address.ts';
import { blockCid, sealedCid } from '../../../filecoin/cid.ts';
import type { DeadlineInfo } from '../../../filecoin/deadline.ts';
import { type Message, messageCid, type Signature, signatureTypeNumbers } from '../../../filecoin/message.ts';
import type { Receipt } from '../chain/apply-message.ts';
import type { ChainMessage } from '../chain/tipset.ts';
import type { MinerState, Sector } from '../state/miner-state.ts';

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export const cidJson = (cid: string): unknown => ({ '/': cid });

/** The CID of something this chain does not store: it stands in an answer for its form only. */
export const placeholderCid = (what: string): unknown => cidJson(blockCid(utf8ToBytes(what)).toString());

/** `withoutParams` stands for empty parameters: nodes give `""` for a message they were just given and null for a stored one. */
export function messageJson(message: Message, withoutParams: '' | null = ''): Record<string, unknown> {
  return {
    Version: message.version,
    To: formatAddress(message.to),
    From: formatAddress(message.from),
    Nonce: message.nonce,
    Value: message.value.toString(),
    GasLimit: message.gasLimit,
    GasFeeCap: message.gasFeeCap.toString(),
    GasPremium: message.gasPremium.toString(),
    Method: message.method,
    Params: message.params.length === 0 ? withoutParams : base64(message.params),
    CID: cidJson(messageCid(message).toString()),
  };
}

export function signedMessageJson({ cid, signed }: ChainMessage, withoutParams: '' | null = ''): unknown {
  return {
    Message: messageJson(signed.message, withoutParams),
    Signature: signatureJson(signed.signature),
    CID: cidJson(cid),
  };
}

export const signatureJson = ({ type, data }: Signature): unknown => ({
  Type: signatureTypeNumbers[type],
  Data: base64(data),
});

export const receiptJson = (receipt: Receipt): unknown => ({
  ExitCode: receipt.exitCode,
  Return: null,
  GasUsed: receipt.gasUsed,
  EventsRoot: null,
});

export function deadlineJson(deadline: DeadlineInfo): unknown {
  const { policy } = deadline;
  return {
    CurrentEpoch: deadline.currentEpoch,
    PeriodStart: deadline.periodStart,
    Index: deadline.index,
    Open: deadline.open,
    Close: deadline.close,
    Challenge: deadline.challenge,
    FaultCutoff: deadline.faultCutoff,
    WPoStPeriodDeadlines: policy.periodDeadlines,
    WPoStProvingPeriod: policy.provingPeriod,
    WPoStChallengeWindow: policy.challengeWindow,
    WPoStChallengeLookback: policy.challengeLookback,
    FaultDeclarationCutoff: policy.faultDeclarationCutoff,
  };
}

/** V1_1 seal proofs are numbered from 5 in the order of the sector sizes, V1_1 window proofs from 10. */
const sealProof = (miner: MinerState): number => miner.proofType.number - 5;

export function sectorJson(miner: MinerState, sector: Sector): unknown {
  return {
    SectorNumber: sector.number,
    SealProof: sealProof(miner),
    SealedCID: cidJson(sealedCid(sector.commR).toString()),
    Activation: sector.activation,
    Expiration: sector.expiration,
    DealWeight: '0',
    VerifiedDealWeight: '0',
    InitialPledge: '1',
    ExpectedDayReward: null,
    ExpectedStoragePledge: null,
    PowerBaseEpoch: sector.activation,
    ReplacedDayReward: null,
    SectorKeyCID: null,
    Flags: 1,
    DailyFee: '0',
  };
}
