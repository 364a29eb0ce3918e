import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { CodedError } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import { type Message, messageCid, type SignedMessage, signedMessageCid } from '../filecoin/message.ts';
import type { OutboxComponents } from './components.ts';
import { nextOwnNonce, storeSigned, storeUnsent } from './message-store.ts';
import { isWorthless } from './next-step.ts';
import { isExecutionFailure, nodeText } from './node-answers.ts';
import type { IntendedMessage, SignedOutboxMessage } from './outbox-message.ts';
import { likeness } from './pooled.ts';

/**
 * Gives an intended message its gas, its nonce and its signature, and stores them; `signer` is its sender's key address.
 * Nothing has left when this process dies before they are stored. The other outcomes: `refused` by the chain, `expired`, or
 * `intended` still, since another process was first with it.
 */
export async function signIntended(
  components: OutboxComponents,
  message: IntendedMessage,
  signer: Address,
  head: TipSet,
): Promise<SignedOutboxMessage | 'refused' | 'expired' | 'intended'> {
  const { clock, db, chain } = components;
  const unsent = async (state: 'refused' | 'expired', reason: string) => {
    const { id, minerId } = message;
    components.logger.warn({ message: id, minerId, state, reason }, 'message not sent');
    return (await storeUnsent(db, message, state, reason, clock.now())) ? state : 'intended';
  };
  if (isWorthless(message, head.height))
    return await unsent('expired', `not sent before epoch ${message.expiresEpoch}`);

  const own = await findPooled(components, message, signer, head);
  if (own !== undefined) {
    const { id, minerId } = message;
    components.logger.warn({ message: id, minerId, nonce: own.message.nonce }, 'the message is in the pool already');
    const signature = { signer: formatAddress(signer), signed: own, height: head.height };
    return (await storeSigned(db, message, signature, clock.now())) ?? 'intended';
  }

  const draft: Message = {
    version: 0,
    to: message.recipient,
    from: signer,
    nonce: 0,
    value: 0n,
    gasLimit: 0,
    gasFeeCap: 0n,
    gasPremium: 0n,
    method: message.method,
    params: message.params,
  };
  let gas: Pick<Message, 'gasLimit' | 'gasFeeCap' | 'gasPremium'>;
  try {
    gas = await chain.estimateGas(draft, { maxFee: message.maxFee }, head.key);
  } catch (error) {
    if (!isExecutionFailure(error)) throw error;
    return await unsent('refused', nodeText(error));
  }
  const { gasLimit, gasFeeCap, gasPremium } = gas;
  // The node forgets its pool with a restart, we do not; it knows what landed before this database was made.
  const nonce = Math.max(await chain.nonce(signer), await nextOwnNonce(db, formatAddress(signer)));
  const signed = await signAs(chain, signer, { ...draft, gasLimit, gasFeeCap, gasPremium, nonce });
  const stored = await storeSigned(
    db,
    message,
    { signer: formatAddress(signer), signed, height: head.height },
    clock.now(),
  );
  return stored ?? 'intended';
}

/**
 * The same message as one that was sent before the database was lost or restored from a dump. The pool is only asked for when it
 * has nonces that we do not know of.
 * @throws CodedError `already-pooled` when the pool has a part of it: it lands, or this one is sent when that is gone
 */
async function findPooled(
  { db, chain }: OutboxComponents,
  message: IntendedMessage,
  signer: Address,
  head: TipSet,
): Promise<SignedMessage | undefined> {
  const known = Math.max(await chain.actorNonce(signer, head.key), await nextOwnNonce(db, formatAddress(signer)));
  if ((await chain.nonce(signer)) <= known) return undefined;
  for (const signed of await chain.pending(signer)) {
    if (signed.message.nonce < known) continue;
    const like = likeness(message, signed.message);
    if (like === 'same') return signed;
    if (like === 'overlapping') {
      const cid = signedMessageCid(signed).toString();
      throw new CodedError('already-pooled', `${cid} in the pool posts some of the same partitions; waiting for it`);
    }
  }
  return undefined;
}

/** @throws CodedError `wrong-signature` when the node signed something else */
export async function signAs(chain: Chain, signer: Address, message: Message): Promise<SignedMessage> {
  const { message: returned, signature } = await chain.walletSignMessage(signer, message);
  if (messageCid(returned).equals(messageCid(message))) return { message, signature };
  throw new CodedError(
    'wrong-signature',
    'the chain node signed another message than it was asked to; nothing was sent',
  );
}
