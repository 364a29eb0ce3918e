import type { CID } from 'multiformats/cid';
import type { Address } from '../filecoin/address.ts';
import type { Bitfield } from '../filecoin/bitfield.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import type { Message, SignedMessage } from '../filecoin/message.ts';
import type { RandomnessTag } from '../filecoin/randomness.ts';
import type { MessageLookup } from './message-lookup.ts';
import type { DeadlineState, MinerInfo, Partition } from './miner-state.ts';
import type { SectorInfo } from './sector-info.ts';
import type { HeadChange, TipSet, TipSetKey } from './tipset.ts';

/**
 * A chain node. Every call rejects with CodedError `chain-unavailable` (not reached, connection lost, no answer in time: try
 * again; `refused` where the node turns the token away), `chain-error` {rpcCode, nodeMessage} (the node's own answer) or `chain-answer` (an answer of an unknown form).
 */
export interface Chain {
  head(): Promise<TipSet>;
  /** The tipset at this height on the chain of `key`, the one before it when the epoch has no block. */
  tipSetByHeight(height: number, key: TipSetKey): Promise<TipSet>;
  /** Head changes for ever; after a lost connection it goes on with a new `current`. Ends when the signal aborts. */
  heads(signal: AbortSignal): AsyncIterable<HeadChange[]>;

  networkName(): Promise<string>;
  networkVersion(key: TipSetKey): Promise<number>;

  minerInfo(miner: Address, key: TipSetKey): Promise<MinerInfo>;
  /** attoFIL that the miner has beside all that is locked or owed; negative where its fee debt is larger. */
  minerAvailableBalance(miner: Address, key: TipSetKey): Promise<bigint>;
  provingDeadline(miner: Address, key: TipSetKey): Promise<DeadlineInfo>;
  /** All 48, by index. */
  deadlines(miner: Address, key: TipSetKey): Promise<DeadlineState[]>;
  /** In order of their index, empty ones included. */
  partitions(miner: Address, deadline: number, key: TipSetKey): Promise<Partition[]>;
  /** Null: all of the miner's. Sectors unknown to the chain are left out. */
  sectors(miner: Address, numbers: Bitfield | null, key: TipSetKey): Promise<SectorInfo[]>;

  /** 32 bytes; `entropy` is the CBOR of the miner's address. */
  beaconRandomness(tag: RandomnessTag, epoch: number, entropy: Uint8Array, key: TipSetKey): Promise<Uint8Array>;
  /** 32 bytes; here an empty `key` is refused by the node. */
  ticketRandomness(tag: RandomnessTag, epoch: number, entropy: Uint8Array | null, key: TipSetKey): Promise<Uint8Array>;

  lookupId(address: Address, key: TipSetKey): Promise<Address>;
  /** The key address of an account. */
  accountKey(address: Address, key: TipSetKey): Promise<Address>;
  /** The nonce of an account in the state of this tipset, pending messages not counted. */
  actorNonce(address: Address, key: TipSetKey): Promise<number>;
  /** attoFIL that an actor has in the state of this tipset. */
  actorBalance(address: Address, key: TipSetKey): Promise<bigint>;

  /** Whether the node's wallet holds the key. */
  walletHas(address: Address): Promise<boolean>;
  /** `signer` must be the message's sender as a key address. */
  walletSignMessage(signer: Address, message: Message): Promise<SignedMessage>;

  /** Gas that the message uses, at least, after those of its sender that wait in the node's pool. */
  estimateGasLimit(message: Message, key: TipSetKey): Promise<number>;
  /** The message with gas limit, premium and fee cap filled in so that it costs at most `maxFee` (attoFIL). */
  estimateGas(message: Message, limits: { readonly maxFee: bigint }, key: TipSetKey): Promise<Message>;
  /** The next nonce of an account, the node's pending messages counted. */
  nonce(address: Address): Promise<number>;
  /** What waits in the node's pool, of one sender by its key address. The node sends its whole pool: megabytes. */
  pending(sender: Address): Promise<SignedMessage[]>;
  push(message: SignedMessage): Promise<CID>;
  /** The node gives the nonce and signs; a `uuid` that this node has seen gives that message again. `maxFee` in attoFIL. */
  pushUnsigned(message: Message, init: { readonly uuid: string; readonly maxFee: bigint }): Promise<SignedMessage>;
  /** On the chain of `key`, in tipsets down to `fromHeight`; `from` as a key address, `to` as the messages name it. */
  sentMessages(
    match: { readonly from: Address; readonly to: Address },
    key: TipSetKey,
    fromHeight: number,
  ): Promise<SentMessage[]>;
  /** Looks from tipset `from` (default: head) back over `lookback` epochs, -1 for no limit. */
  searchMessage(cid: CID, options: SearchOptions): Promise<MessageLookup | null>;

  /** Ends the connection; calls under way reject. */
  close(): void;
}

export interface SentMessage {
  readonly cid: CID;
  readonly message: Message;
}

export interface SearchOptions {
  readonly from?: TipSetKey;
  readonly lookback: number;
  /** Whether a message of the same nonce and content with other fees counts. */
  readonly allowReplaced: boolean;
}
