import type { Selectable } from 'kysely';
import type { MessagesTable } from '../database/tables/outbox.ts';
import { parseAddress } from '../filecoin/address.ts';
import { decodeSignedMessage, type SignedMessage } from '../filecoin/message.ts';
import type { Intent } from './add-intent.ts';

/**
 * intended → signed → pushed → landed | failed, with `signed` again after a replacement. An intended one may end as `refused` (the
 * chain would not execute it) or `expired`; from `signed` on its nonce is taken, so it is pushed until it lands.
 */
export type MessageStateName = MessagesTable['state'];

/** A message that is not finished. */
export type OpenMessage = IntendedMessage | SignedOutboxMessage;

interface Intention extends Omit<Intent, 'purpose' | 'runId'> {
  readonly id: string;
}

export interface IntendedMessage extends Intention {
  readonly state: 'intended';
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

/** A row in an open state. */
export function messageFromRow(row: Selectable<MessagesTable>): OpenMessage {
  const intention = {
    id: row.id,
    minerId: row.miner_id,
    sender: parseAddress(row.sender),
    recipient: parseAddress(row.recipient),
    method: row.method,
    params: Uint8Array.from(row.params),
    maxFee: BigInt(row.max_fee),
    expiresEpoch: row.expires_epoch,
    confidence: row.confidence,
  };
  const { state, signer, nonce, signed_message, cid, signed_height } = row;
  const isSigned =
    signer !== null && nonce !== null && signed_message !== null && cid !== null && signed_height !== null;
  if ((state !== 'signed' && state !== 'pushed') || !isSigned) return { ...intention, state: 'intended' };
  return {
    ...intention,
    state,
    signer,
    nonce,
    signed: decodeSignedMessage(Uint8Array.from(signed_message)),
    cid,
    signedHeight: signed_height,
  };
}
