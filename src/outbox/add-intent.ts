import { randomUUID } from 'node:crypto';
import { databaseNow, type Transaction } from '../database/database.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';

export interface Intent {
  readonly minerId: number;
  readonly purpose: 'submit' | 'recover';
  readonly runId: number | null;
  /** Id or key address; used by this outbox alone, since its nonces are ours. */
  readonly sender: Address;
  readonly recipient: Address;
  readonly method: number;
  readonly params: Uint8Array;
  /** attoFIL the message may cost at most; never left to the node, whose default is too low for a window PoSt. */
  readonly maxFee: bigint;
  /** First epoch in which it is worthless. */
  readonly expiresEpoch: number | null;
  /** Epochs above the executing tipset after which it counts as landed. */
  readonly confidence: number;
}

/** Stores what is to be sent, in the transaction that makes it necessary. Returns its id; the outbox does the rest. */
export async function addIntent(trx: Transaction, intent: Intent): Promise<string> {
  const id = randomUUID();
  await trx
    .insertInto('messages')
    .values({
      id,
      miner_id: intent.minerId,
      purpose: intent.purpose,
      run_id: intent.runId,
      sender: formatAddress(intent.sender),
      recipient: formatAddress(intent.recipient),
      method: intent.method,
      params: Buffer.from(intent.params),
      max_fee: intent.maxFee.toString(),
      expires_epoch: intent.expiresEpoch,
      confidence: intent.confidence,
      state: 'intended',
      signer: null,
      nonce: null,
      signed_message: null,
      signed_height: null,
      cid: null,
      exit_code: null,
      height: null,
      error: null,
      carrier: null,
      uid: null,
      fee: null,
      created_at: databaseNow,
      updated_at: databaseNow,
    })
    .execute();
  return id;
}
