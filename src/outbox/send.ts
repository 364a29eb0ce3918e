import type { TipSet } from '../chain/tipset.ts';
import { CodedError } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import type { SendingComponents } from './components.ts';
import { draftOf } from './draft.ts';
import { costLimit, withGas } from './fees.ts';
import { fundsFor, withinFunds } from './funds.ts';
import { nextOwnNonce, storeHanding, storeSigned, storeUnsent } from './message-store.ts';
import { isWorthless } from './next-step.ts';
import { GAS_LIMIT, isExecutionFailure, isGasRefusal, isShortOfFunds, nodeText } from './node-answers.ts';
import type { HandedMessage, IntendedMessage, MessageStateName, SignedOutboxMessage } from './outbox-message.ts';
import { findPooled } from './pooled.ts';
import { signAs } from './sign-as.ts';
import { isOfStaleChain } from './stale-chain.ts';
import { throughMessager } from './through-messager.ts';
import { throughNode } from './through-node.ts';
import { tellBudgetSpent, tellShortOfFunds } from './trouble-alerts.ts';
import { chooseUid } from './uid.ts';

type Outcome = SignedOutboxMessage | MessageStateName;

/**
 * Takes a message without a nonce on its way: `signer` is its sender's key address. Nothing has left when this process dies before
 * the row says so. Gives a signed message, which is to be delivered, or the state that the message has.
 */
export async function send(
  components: SendingComponents,
  message: IntendedMessage,
  sender: { readonly address: Address; readonly signer: Address },
  head: TipSet,
): Promise<Outcome> {
  const { clock, logger, db, chain, carrier } = components;
  const { address, signer } = sender;
  const signerText = formatAddress(signer);
  if (isWorthless(message, head.height)) {
    return await unsent(components, message, 'expired', `not sent before epoch ${message.expiresEpoch}`);
  }
  if (await isOfStaleChain(components, message, head)) {
    return await unsent(components, message, 'refused', 'stale-chain: the chain was reorganised below its challenge');
  }
  if (carrier.kind !== 'messager') {
    const pooled = await findPooled(components, message, signer, head);
    if (pooled !== undefined) {
      const { id, minerId } = message;
      logger.warn({ message: id, minerId, nonce: pooled.message.nonce }, 'the message is in the pool already');
      const signature = { signer: signerText, signed: pooled, height: head.height };
      return (await storeSigned(db, message, signature, clock.now())) ?? message.state;
    }
  }
  const filled = await fill(components, message, signer, head);
  if (typeof filled === 'string') return filled;
  switch (carrier.kind) {
    case 'own': {
      const priced = await payable(components, message, filled, signerText, head);
      // The node forgets its pool with a restart, we do not; it knows what landed before this database was made.
      const nonce = Math.max(await chain.nonce(signer), await nextOwnNonce(db, signerText));
      const signed = await signAs(chain, signer, { ...priced, nonce });
      const signature = { signer: signerText, signed, height: head.height };
      return (await storeSigned(db, message, signature, clock.now())) ?? message.state;
    }
    case 'node': {
      const handed = {
        carrier: 'node',
        uid: message.id,
        sender: address,
        signer: signerText,
        signedHeight: head.height,
      } as const;
      const handing = await storeHanding(db, message, handed, clock.now());
      return handing === undefined ? message.state : await throughNode.push(components, handing, filled, head);
    }
    case 'messager': {
      const uid = await chooseUid(components, carrier.messager, message, address);
      const handed = {
        carrier: 'messager',
        uid,
        sender: address,
        signer: signerText,
        signedHeight: head.height,
      } as const;
      const handing = await storeHanding(db, message, handed, clock.now());
      if (handing === undefined) return message.state;
      return await throughMessager(components, carrier.messager, handing, head);
    }
  }
}

/**
 * What gets a nonce must be able to land: the next ones wait behind it.
 * @throws CodedError `sender-short`, `fee-budget`
 */
async function payable(
  components: SendingComponents,
  message: IntendedMessage,
  filled: Message,
  signer: string,
  head: TipSet,
): Promise<Message> {
  const baseFee = head.baseFee ?? 0n;
  if (filled.gasFeeCap < baseFee) {
    tellBudgetSpent(components, message);
    throw new CodedError('fee-budget', `it may cost ${message.maxFee} attoFIL, too little at a base fee of ${baseFee}`);
  }
  const funds = await fundsFor(components, signer, head);
  const priced = withinFunds(filled, funds, baseFee);
  if (priced !== undefined) return priced;
  tellShortOfFunds(components, message, signer);
  throw new CodedError('sender-short', `${signer} has ${funds} attoFIL for it and needs ${costLimit(filled)}`);
}

/** Goes on with a message that was handed over in an earlier life or at an earlier head. */
export async function goOn(components: SendingComponents, message: HandedMessage, head: TipSet): Promise<Outcome> {
  const { carrier } = components;
  if (message.carrier === 'node') {
    return await throughNode.goOn(components, message, head, (signer) => fill(components, message, signer, head));
  }
  if (carrier.kind === 'messager') return await throughMessager(components, carrier.messager, message, head);
  const reason = 'it was handed to a messager, and none is configured any more';
  return isWorthless(message, head.height) ? await unsent(components, message, 'expired', reason) : message.state;
}

/** With gas and without a nonce; or the state, where the chain would not execute it. */
async function fill(
  components: SendingComponents,
  message: IntendedMessage | HandedMessage,
  signer: Address,
  head: TipSet,
): Promise<Message | MessageStateName> {
  const draft = draftOf(message, signer);
  try {
    return await withGas(components, draft, components.rules(message.minerId), message.maxFee, head);
  } catch (error) {
    if (isShortOfFunds(error)) tellShortOfFunds(components, message, formatAddress(signer));
    const isGas = isGasRefusal(error);
    if (!isGas && !isExecutionFailure(error)) throw error;
    return await unsent(components, message, 'refused', `${isGas ? GAS_LIMIT : ''}${nodeText(error)}`);
  }
}

async function unsent(
  { clock, logger, db }: SendingComponents,
  message: IntendedMessage | HandedMessage,
  state: 'refused' | 'expired',
  reason: string,
): Promise<MessageStateName> {
  logger.warn({ message: message.id, minerId: message.minerId, state, reason }, 'message not sent');
  return (await storeUnsent(db, message, state, reason, clock.now())) ? state : message.state;
}
