import type { Selectable } from 'kysely';
import type { MessagesTable } from '../database/tables/outbox.ts';
import { parseAddress } from '../filecoin/address.ts';
import { decodeSignedMessage, type SignedMessage } from '../filecoin/message.ts';
import type { Intent } from './add-intent.ts';

/**
 * intended → signed → pushed → landed | failed, with `signed` again after a replacement. An intended one may end as `refused` (the
 * chain would not execute it) or `expired`; from `signed` on its nonce is taken, so it is pushed until it landed or a transfer of
 * nothing that has its nonce did: `expired`, too. Where a node gives the nonces it is intended → handing → signed, where a messager
 * does: intended → handing → pushed.
 */
export type MessageStateName = MessagesTable['state'];

/** A message that is not finished. */
export type OpenMessage = IntendedMessage | HandedMessage | SignedOutboxMessage;

interface Intention extends Omit<Intent, 'runId'> {
  readonly id: string;
}

export interface IntendedMessage extends Intention {
  readonly state: 'intended';
}

/** One whose nonce is somebody else's affair; `handing`: whether it arrived there is not known. */
export interface HandedMessage extends Intention {
  readonly state: 'handing' | 'pushed';
  readonly carrier: 'node' | 'messager';
  /** The carrier's id of it. */
  readonly uid: string;
  /** As text: the key address of the sender. */
  readonly signer: string;
  /** Height of the head when it was handed over. */
  readonly signedHeight: number;
}

export interface SignedOutboxMessage extends Intention {
  readonly state: 'signed' | 'pushed';
  /** As text: the key address of the sender. */
  readonly signer: string;
  readonly nonce: number;
  readonly signed: SignedMessage;
  readonly cid: string;
  /** Height of the head when it was signed. */
  readonly signedHeight: number;
}

export function isSigned(message: OpenMessage): message is SignedOutboxMessage {
  return 'signed' in message;
}

/** A row in an open state. */
export function messageFromRow(row: Selectable<MessagesTable>): OpenMessage {
  const intention = {
    id: row.id,
    minerId: row.miner_id,
    purpose: row.purpose,
    sender: parseAddress(row.sender),
    recipient: parseAddress(row.recipient),
    method: row.method,
    params: Uint8Array.from(row.params),
    maxFee: BigInt(row.max_fee),
    expiresEpoch: row.expires_epoch,
    confidence: row.confidence,
  };
  const { state, signer, nonce, signed_message, cid, signed_height, carrier, uid } = row;
  if (signer === null || signed_height === null) return { ...intention, state: 'intended' };
  const sent = { ...intention, signer, signedHeight: signed_height };
  if ((state === 'signed' || state === 'pushed') && nonce !== null && signed_message !== null && cid !== null) {
    return { ...sent, state, nonce, signed: decodeSignedMessage(Uint8Array.from(signed_message)), cid };
  }
  if ((state === 'handing' || state === 'pushed') && carrier !== null && uid !== null) {
    return { ...sent, state, carrier, uid };
  }
  return { ...intention, state: 'intended' };
}
