import type { TipSet } from '../chain/tipset.ts';
import { errorCode } from '../errors/coded-error.ts';
import { type Address, parseAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import type { SendingComponents } from './components.ts';
import { costOf } from './fees.ts';
import { likeness } from './likeness.ts';
import { search } from './look-up.ts';
import { ownNonces, storeEnding, storeSigned, storeTrouble } from './message-store.ts';
import { endingOf, isWorthless } from './next-step.ts';
import { isPooledAlready, nodeText } from './node-answers.ts';
import type { HandedMessage, MessageStateName, SignedOutboxMessage } from './outbox-message.ts';
import { findHanded } from './pooled.ts';
import { forget } from './trouble-alerts.ts';

/** How far below the head of the hand-over a message can stand after a reorganisation, in epochs. */
const REORGANISATION_EPOCHS = 20;

type Outcome = SignedOutboxMessage | MessageStateName;

/**
 * Messages whose nonce the node gives. Its answer may get lost, and what it remembers of ids is its own affair and gone with a
 * switch of nodes: so a message in doubt is looked for in pool and chain, by sender, method and content, before it is pushed again.
 */
export const throughNode = { push, goOn };

/** The answer is a signed message like one of our own, pushed again and followed as those are. */
async function push(
  components: SendingComponents,
  message: HandedMessage,
  filled: Message,
  head: TipSet,
): Promise<Outcome> {
  const { clock, db, chain } = components;
  try {
    const signed = await chain.pushUnsigned(filled, { uuid: message.uid, maxFee: message.maxFee });
    const signature = { signer: message.signer, signed, height: head.height };
    return (await storeSigned(db, message, signature, clock.now())) ?? message.state;
  } catch (error) {
    if (errorCode(error) !== 'chain-error' || isPooledAlready(error)) throw error;
    await storeTrouble(db, message, nodeText(error), clock.now());
    return message.state;
  }
}

async function goOn(
  components: SendingComponents,
  message: HandedMessage,
  head: TipSet,
  fill: (signer: Address) => Promise<Message | MessageStateName>,
): Promise<Outcome> {
  const { clock, db, logger } = components;
  const signer = parseAddress(message.signer);
  const pooled = await findHanded(components, message, signer);
  if (pooled !== undefined) {
    const signature = { signer: message.signer, signed: pooled, height: message.signedHeight };
    return (await storeSigned(db, message, signature, clock.now())) ?? message.state;
  }
  const sent = await findOnChain(components, message, signer, head);
  if (sent !== undefined) {
    const landing = await search(components, sent.cid, message.signedHeight, head);
    if (landing === null || head.height - landing.height < message.confidence) return message.state;
    const ending = endingOf({ ...landing, isWithdrawal: false });
    logger.info({ message: message.id, cid: sent.cid, state: ending.state }, 'message found on the chain');
    forget(components, message);
    const fee = costOf(sent.message, landing.gasUsed, head.baseFee ?? 0n);
    return (await storeEnding(db, message, ending, fee, clock.now())) ? ending.state : message.state;
  }
  // Neither pool nor chain has it, and it was worthless before it could be handed over again.
  if (isWorthless(message, head.height)) {
    const ending = { state: 'expired', error: `not sent before epoch ${message.expiresEpoch}` } as const;
    return (await storeEnding(db, message, ending, null, clock.now())) ? 'expired' : message.state;
  }
  const filled = await fill(signer);
  return typeof filled === 'string' ? filled : await push(components, message, filled, head);
}

async function findOnChain(
  { db, chain }: SendingComponents,
  message: HandedMessage,
  signer: Address,
  head: TipSet,
): Promise<{ readonly cid: string; readonly message: Message } | undefined> {
  const match = { from: signer, to: message.recipient };
  const from = Math.max(message.signedHeight - REORGANISATION_EPOCHS, 0);
  const all = await chain.sentMessages(match, head.key, from);
  const same = all.filter((sent) => likeness(message, sent.message) === 'same');
  const nonces = same.map((sent) => sent.message.nonce);
  const taken = await ownNonces(db, message.signer, nonces);
  const found = same.find((sent) => !taken.has(sent.message.nonce));
  return found && { cid: found.cid.toString(), message: found.message };
}
