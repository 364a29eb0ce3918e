import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { CodedError } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import { type Message, messageCid, type SignedMessage } from '../filecoin/message.ts';
import type { OutboxComponents } from './components.ts';
import { nextOwnNonce, storeSigned, storeUnsent } from './message-store.ts';
import { isWorthless } from './next-step.ts';
import { isExecutionFailure, nodeText } from './node-answers.ts';
import type { IntendedMessage, SignedOutboxMessage } from './outbox-message.ts';

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

/** @throws CodedError `wrong-signature` when the node signed something else */
export async function signAs(chain: Chain, signer: Address, message: Message): Promise<SignedMessage> {
  const { message: returned, signature } = await chain.walletSignMessage(signer, message);
  if (messageCid(returned).equals(messageCid(message))) return { message, signature };
  throw new CodedError(
    'wrong-signature',
    'the chain node signed another message than it was asked to; nothing was sent',
  );
}
