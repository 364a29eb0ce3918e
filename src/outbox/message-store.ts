import type { UpdateObject } from 'kysely';
import type { Database, Transaction } from '../database/database.ts';
import type { Schema } from '../database/schema.ts';
import { formatAddress } from '../filecoin/address.ts';
import { decodeSignedMessage, encodeSignedMessage, type SignedMessage, signedMessageCid } from '../filecoin/message.ts';
import type { Ending } from './next-step.ts';
import {
  type HandedMessage,
  type IntendedMessage,
  isSigned,
  messageFromRow,
  type OpenMessage,
  type SignedOutboxMessage,
} from './outbox-message.ts';
import { isWithdrawal } from './withdrawal.ts';

/** What the statements run on. Every change names the state (and version) that it starts from, so that it happens once. */
export type Store = Pick<Database, 'kysely' | 'transaction'>;

/** In the order in which they are sent: by nonce, then by age. */
export async function openMessages(db: Store): Promise<OpenMessage[]> {
  const rows = await db.kysely
    .selectFrom('messages')
    .selectAll()
    .where('state', 'in', ['intended', 'handing', 'signed', 'pushed'])
    .orderBy('position')
    .execute();
  const nonce = (message: OpenMessage) => (isSigned(message) ? message.nonce : Number.POSITIVE_INFINITY);
  return rows
    .map(messageFromRow)
    .sort((left, right) => (nonce(left) === nonce(right) ? 0 : nonce(left) - nonce(right)));
}

/** What a manager with --shadow kept in this database was never meant to leave: it is made anew where it is still needed. */
export async function endShadowed(db: Store, now: number): Promise<void> {
  await db.transaction((trx) =>
    trx
      .updateTable('messages')
      .set({ state: 'expired', error: 'kept by a manager with --shadow', updated_at: now })
      .where('state', '=', 'intended')
      .where('id', 'in', (from) => from.selectFrom('shadow_messages').select('message_id'))
      .execute(),
  );
}

/** The lowest nonce that no message of ours has. */
export async function nextOwnNonce(db: Store, signer: string): Promise<number> {
  const row = await db.kysely
    .selectFrom('messages')
    .select((eb) => eb.fn.max('nonce').as('highest'))
    .where('signer', '=', signer)
    .executeTakeFirst();
  const highest: number | null = row?.highest ?? null;
  return highest === null ? 0 : highest + 1;
}

/** The messager was asked for a version with higher fees at this height. */
export async function storeRaised(db: Store, message: HandedMessage, height: number, now: number): Promise<void> {
  await db.transaction((trx) => change(trx, message, now, { signed_height: height }));
}

export interface Signature {
  /** As text. */
  readonly signer: string;
  readonly signed: SignedMessage;
  readonly height: number;
}

/** Whether a message of ours ever had one of these nonces. */
export async function ownNonces(db: Store, signer: string, nonces: readonly number[]): Promise<Set<number>> {
  if (nonces.length === 0) return new Set();
  const rows = await db.kysely
    .selectFrom('messages')
    .select('nonce')
    .where('signer', '=', signer)
    .where('nonce', 'in', nonces)
    .execute();
  return new Set(rows.flatMap(({ nonce }) => (nonce === null ? [] : [nonce])));
}

/** Whether a message of ours was ever handed over under this id. */
export async function isUidTaken(db: Store, uid: string): Promise<boolean> {
  const row = await db.kysely.selectFrom('messages').select('id').where('uid', '=', uid).executeTakeFirst();
  return row !== undefined;
}

type Changes = UpdateObject<Schema, 'messages'>;

/** Whether the message still stood as it did and has the changes now. */
async function change(trx: Transaction, message: OpenMessage, now: number, changes: Changes): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('messages')
    .set({ ...changes, updated_at: now })
    .where('id', '=', message.id)
    .where('state', '=', message.state)
    .$if(isSigned(message), (query) => query.where('cid', '=', isSigned(message) ? message.cid : null))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** intended → handing: from now on it is looked for before it is handed over again. Undefined: another process was first. */
export async function storeHanding(
  db: Store,
  message: IntendedMessage,
  handed: Pick<HandedMessage, 'carrier' | 'uid' | 'sender' | 'signer' | 'signedHeight'>,
  now: number,
): Promise<HandedMessage | undefined> {
  const { carrier, uid, sender, signer, signedHeight } = handed;
  const changes = {
    state: 'handing',
    carrier,
    uid,
    sender: formatAddress(sender),
    signer,
    signed_height: signedHeight,
    error: null,
  } as const;
  const changed = await db.transaction((trx) => change(trx, message, now, changes));
  return changed ? { ...message, ...handed, state: 'handing' } : undefined;
}

/** handing → pushed, where the messager has it. */
export async function storeHandedOver(db: Store, message: HandedMessage, now: number): Promise<boolean> {
  return await db.transaction((trx) => change(trx, message, now, { state: 'pushed', error: null }));
}

export interface Signature {
  /** As text. */
  readonly signer: string;
  readonly signed: SignedMessage;
  readonly height: number;
}

/**
 * intended or handing → signed. Undefined: another process was first with the message. A node that lost its pool may give a nonce
 * a second time: then the older message is given up as failed, since only one of them can land.
 */
export async function storeSigned(
  db: Store,
  message: IntendedMessage | HandedMessage,
  { signer, signed, height }: Signature,
  now: number,
): Promise<SignedOutboxMessage | undefined> {
  const cid = signedMessageCid(signed).toString();
  const { nonce } = signed.message;
  const stored = await db.transaction(async (trx) => {
    if (message.state === 'handing') {
      await trx
        .updateTable('messages')
        .set({ state: 'failed', nonce: null, error: `the node gave its nonce ${nonce} a second time`, updated_at: now })
        .where('signer', '=', signer)
        .where('nonce', '=', nonce)
        .where('state', 'in', ['signed', 'pushed'])
        .execute();
    }
    return await change(trx, message, now, {
      state: 'signed',
      signer,
      nonce,
      cid,
      signed_message: Buffer.from(encodeSignedMessage(signed)),
      signed_height: height,
      error: null,
    });
  });
  if (!stored) return undefined;
  return { ...message, state: 'signed', signer, nonce, signed, cid, signedHeight: height };
}

/** Another version in the place of this one, which is kept: signed or pushed → signed. */
export async function storeReplacement(
  db: Store,
  message: SignedOutboxMessage,
  signed: SignedMessage,
  height: number,
  now: number,
): Promise<SignedOutboxMessage | undefined> {
  const cid = signedMessageCid(signed).toString();
  const stored = await db.transaction(async (trx) => {
    await trx
      .insertInto('message_versions')
      .ignore()
      .values({
        message_id: message.id,
        cid: message.cid,
        signed_message: Buffer.from(encodeSignedMessage(message.signed)),
        signed_height: message.signedHeight,
      })
      .execute();
    return await change(trx, message, now, {
      state: 'signed',
      cid,
      signed_message: Buffer.from(encodeSignedMessage(signed)),
      signed_height: height,
    });
  });
  return stored ? { ...message, state: 'signed', signed, cid, signedHeight: height } : undefined;
}

export interface Version {
  readonly cid: string;
  /** Whether it only uses the nonce. */
  readonly isWithdrawal: boolean;
}

/** All that may land: the newest version and the replaced ones, newest first. */
export async function versions(db: Store, message: SignedOutboxMessage): Promise<Version[]> {
  const rows = await db.kysely
    .selectFrom('message_versions')
    .select(['cid', 'signed_message'])
    .where('message_id', '=', message.id)
    .orderBy('signed_height', 'desc')
    .execute();
  const earlier = rows.map(({ cid, signed_message }) => ({
    cid,
    isWithdrawal: isWithdrawal(decodeSignedMessage(Uint8Array.from(signed_message)).message),
  }));
  return [{ cid: message.cid, isWithdrawal: isWithdrawal(message.signed.message) }, ...earlier];
}

/** signed → pushed. */
export async function storePushed(db: Store, message: SignedOutboxMessage, now: number): Promise<boolean> {
  return await db.transaction((trx) => change(trx, message, now, { state: 'pushed', error: null }));
}

/** An end without a nonce, with the reason. */
export async function storeUnsent(
  db: Store,
  message: IntendedMessage | HandedMessage,
  state: 'refused' | 'expired',
  error: string,
  now: number,
): Promise<boolean> {
  return await db.transaction((trx) => change(trx, message, now, { state, error }));
}

/** @param fee attoFIL that it cost, null where it is not known */
export async function storeEnding(
  db: Store,
  message: SignedOutboxMessage | HandedMessage,
  { state, error, landing }: Ending,
  fee: bigint | null,
  now: number,
): Promise<boolean> {
  return await db.transaction((trx) =>
    change(trx, message, now, {
      state,
      error,
      fee: fee?.toString() ?? null,
      ...(landing && { cid: landing.cid.toString(), exit_code: landing.exitCode, height: landing.height }),
    }),
  );
}

/** Why it does not get on; its state stays. */
export async function storeTrouble(db: Store, message: OpenMessage, error: string, now: number): Promise<void> {
  await db.transaction(async (trx) => {
    await trx
      .updateTable('messages')
      .set({ error, updated_at: now })
      .where('id', '=', message.id)
      .where('state', '=', message.state)
      .execute();
  });
}

/** attoFIL that a sender's messages cost since a time (milliseconds since 1970). */
export async function feesSince(db: Store, signer: string, since: number): Promise<bigint> {
  const row = await db.kysely
    .selectFrom('messages')
    .select((eb) => eb.fn.sum<string | null>('fee').as('fees'))
    .where('signer', '=', signer)
    .where('updated_at', '>=', since)
    .executeTakeFirst();
  return BigInt(row?.fees ?? 0);
}
