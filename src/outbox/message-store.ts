import type { Database } from '../database/database.ts';
import { encodeSignedMessage, type SignedMessage, signedMessageCid } from '../filecoin/message.ts';
import type { Ending } from './next-step.ts';
import { type IntendedMessage, messageFromRow, type OpenMessage, type SignedOutboxMessage } from './outbox-message.ts';

/** What the statements run on. Every change names the state (and version) that it starts from, so that it happens once. */
export type Store = Pick<Database, 'kysely'>;

/** In the order in which they are sent: by nonce, then by age. */
export async function openMessages(db: Store): Promise<OpenMessage[]> {
  const rows = await db.kysely
    .selectFrom('messages')
    .selectAll()
    .where('state', 'in', ['intended', 'signed', 'pushed'])
    .orderBy('position')
    .execute();
  const nonce = (message: OpenMessage) => (message.state === 'intended' ? Number.POSITIVE_INFINITY : message.nonce);
  return rows
    .map(messageFromRow)
    .sort((left, right) => (nonce(left) === nonce(right) ? 0 : nonce(left) - nonce(right)));
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

export interface Signature {
  /** As text. */
  readonly signer: string;
  readonly signed: SignedMessage;
  readonly height: number;
}

/** intended → signed. Undefined: another process was first with the message or with the nonce. */
export async function storeSigned(
  db: Store,
  message: IntendedMessage,
  { signer, signed, height }: Signature,
  now: number,
): Promise<SignedOutboxMessage | undefined> {
  const cid = signedMessageCid(signed).toString();
  const { nonce } = signed.message;
  const { numUpdatedRows } = await db.kysely
    .updateTable('messages')
    .set({
      state: 'signed',
      signer,
      nonce,
      cid,
      signed_message: Buffer.from(encodeSignedMessage(signed)),
      signed_height: height,
      error: null,
      updated_at: now,
    })
    .where('id', '=', message.id)
    .where('state', '=', 'intended')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return undefined;
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
  // First, and harmless alone: a version that is current as well is looked up twice.
  await db.kysely
    .insertInto('message_versions')
    .ignore()
    .values({
      message_id: message.id,
      cid: message.cid,
      signed_message: Buffer.from(encodeSignedMessage(message.signed)),
      signed_height: message.signedHeight,
    })
    .execute();
  const cid = signedMessageCid(signed).toString();
  const { numUpdatedRows } = await db.kysely
    .updateTable('messages')
    .set({
      state: 'signed',
      cid,
      signed_message: Buffer.from(encodeSignedMessage(signed)),
      signed_height: height,
      updated_at: now,
    })
    .where('id', '=', message.id)
    .where('state', '=', message.state)
    .where('cid', '=', message.cid)
    .executeTakeFirst();
  return numUpdatedRows === 0n ? undefined : { ...message, state: 'signed', signed, cid, signedHeight: height };
}

/** Replaced versions, newest first. */
export async function earlierVersions(db: Store, id: string): Promise<string[]> {
  const rows = await db.kysely
    .selectFrom('message_versions')
    .select('cid')
    .where('message_id', '=', id)
    .orderBy('signed_height', 'desc')
    .execute();
  return rows.map(({ cid }) => cid);
}

/** signed → pushed. */
export async function storePushed(db: Store, message: SignedOutboxMessage, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db.kysely
    .updateTable('messages')
    .set({ state: 'pushed', error: null, updated_at: now })
    .where('id', '=', message.id)
    .where('state', '=', 'signed')
    .where('cid', '=', message.cid)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** intended → refused or expired, with the reason. */
export async function storeUnsent(
  db: Store,
  message: IntendedMessage,
  state: 'refused' | 'expired',
  error: string,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await db.kysely
    .updateTable('messages')
    .set({ state, error, updated_at: now })
    .where('id', '=', message.id)
    .where('state', '=', 'intended')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** signed or pushed → landed or failed. */
export async function storeEnding(
  db: Store,
  message: SignedOutboxMessage,
  ending: Ending,
  now: number,
): Promise<boolean> {
  const { state, error, landing } = ending;
  const { numUpdatedRows } = await db.kysely
    .updateTable('messages')
    .set({
      state,
      error,
      updated_at: now,
      ...(landing && { cid: landing.cid.toString(), exit_code: landing.exitCode, height: landing.height }),
    })
    .where('id', '=', message.id)
    .where('state', '=', message.state)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Why it does not get on; its state stays. */
export async function storeTrouble(db: Store, message: OpenMessage, error: string, now: number): Promise<void> {
  await db.kysely
    .updateTable('messages')
    .set({ error, updated_at: now })
    .where('id', '=', message.id)
    .where('state', '=', message.state)
    .execute();
}
