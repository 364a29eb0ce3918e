import type { Generated } from 'kysely';

/** sql/0004-outbox.sql and sql/0008-outbox.sql. Epochs are the chain's, times milliseconds since 1970, addresses and CIDs as text. */
export interface MessagesTable {
  id: string;
  /** The order in which intents were stored. */
  position: Generated<number>;
  miner_id: number;
  purpose: 'submit' | 'recover';
  run_id: number | null;
  sender: string;
  recipient: string;
  method: number;
  params: Buffer;
  /** attoFIL, decimal. */
  max_fee: string;
  expires_epoch: number | null;
  confidence: number;
  state: 'intended' | 'handing' | 'signed' | 'pushed' | 'landed' | 'failed' | 'refused' | 'expired';
  signer: string | null;
  nonce: number | null;
  signed_message: Buffer | null;
  /** Height of the head when this version was signed. */
  signed_height: number | null;
  cid: string | null;
  exit_code: number | null;
  /** Of the tipset that executed it. */
  height: number | null;
  error: string | null;
  carrier: 'node' | 'messager' | null;
  uid: string | null;
  /** attoFIL, decimal. */
  fee: string | null;
  created_at: number;
  updated_at: number;
}

export interface MessageVersionsTable {
  message_id: string;
  cid: string;
  signed_message: Buffer;
  signed_height: number;
}
