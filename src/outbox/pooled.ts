import type { TipSet } from '../chain/tipset.ts';
import { CodedError } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import { type SignedMessage, signedMessageCid } from '../filecoin/message.ts';
import type { SendingComponents } from './components.ts';
import { type Likeness, likeness } from './likeness.ts';
import { nextOwnNonce, ownNonces } from './message-store.ts';
import type { HandedMessage, IntendedMessage } from './outbox-message.ts';
import { tellForeign } from './trouble-alerts.ts';

/**
 * The same message as one that was sent before the database was lost or restored from a dump. The pool is only asked for when it
 * has nonces that we do not know of. Whatever else is there was sent by somebody else, which is told.
 * @throws CodedError `already-pooled` when the pool has a part of it: it lands, or this one is sent when that is gone
 */
export async function findPooled(
  components: SendingComponents,
  message: IntendedMessage,
  signer: Address,
  head: TipSet,
): Promise<SignedMessage | undefined> {
  const { db, chain, alerts } = components;
  const signerText = formatAddress(signer);
  const known = Math.max(await chain.actorNonce(signer, head.key), await nextOwnNonce(db, signerText));
  if ((await chain.nonce(signer)) <= known) {
    alerts.resolve(`foreign-messages/${signerText}`);
    return undefined;
  }
  const unknown = (await chain.pending(signer)).filter((signed) => signed.message.nonce >= known);
  const likenesses: (readonly [SignedMessage, Likeness])[] = unknown.map((signed) => [
    signed,
    likeness(message, signed.message),
  ]);
  const same = likenesses.find(([, like]) => like === 'same');
  if (same !== undefined) return same[0];
  const overlapping = likenesses.find(([, like]) => like === 'overlapping');
  if (overlapping !== undefined) {
    const cid = signedMessageCid(overlapping[0]).toString();
    throw new CodedError('already-pooled', `${cid} in the pool posts some of the same partitions; waiting for it`);
  }
  if (unknown.length > 0 && components.carrier.kind === 'own') {
    tellForeign(components, signerText, `${unknown.length} messages wait in the pool that are`);
  }
  return undefined;
}

/** The message as the node's pool has it, where it was handed to the node; none of ours has its nonce. */
export async function findHanded(
  { db, chain }: Pick<SendingComponents, 'db' | 'chain'>,
  message: HandedMessage,
  signer: Address,
): Promise<SignedMessage | undefined> {
  const same = (await chain.pending(signer)).filter((signed) => likeness(message, signed.message) === 'same');
  const nonces = same.map((signed) => signed.message.nonce);
  const taken = await ownNonces(db, message.signer, nonces);
  return same.find((signed) => !taken.has(signed.message.nonce));
}
