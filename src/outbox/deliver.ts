import type { TipSet } from '../chain/tipset.ts';
import { errorCode } from '../errors/coded-error.ts';
import { parseAddress, sameAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import type { OutboxComponents } from './components.ts';
import { costLimit, costOf, smaller } from './fees.ts';
import { fillGap } from './fill-gap.ts';
import { fundsFor } from './funds.ts';
import { lookUp } from './look-up.ts';
import { storeEnding, storePushed, storeReplacement, storeTrouble } from './message-store.ts';
import { type Ending, isStuck, type MessageFacts, nextStep } from './next-step.ts';
import { isNonceTooLow, isPooledAlready, isShortOfFunds, nodeText } from './node-answers.ts';
import type { MessageStateName, SignedOutboxMessage } from './outbox-message.ts';
import { withHigherFees } from './replacement.ts';
import { signAs } from './sign-as.ts';
import { isOfStaleChain } from './stale-chain.ts';
import { forget, tellBudgetSpent, tellForeign, tellShortOfFunds, tellStuck } from './trouble-alerts.ts';
import { isWithdrawal } from './withdrawal.ts';

/** Where a message stands in the line of its signer's nonces. */
export interface Place {
  /** Whether all with a lower nonce are on the chain of this head. */
  readonly isFirst: boolean;
  readonly isInTheWay: boolean;
  /** attoFIL for each unit of gas that the first one offers by now; undefined for the first itself. */
  readonly premiumAhead?: bigint;
}

export interface Delivery {
  readonly state: MessageStateName;
  /** On the chain of this head, if not yet with confidence. */
  readonly isOnChain: boolean;
  /** attoFIL for each unit of gas. */
  readonly premium?: bigint;
}

/** Takes a signed message as far as this head lets it. */
export async function deliver(
  components: OutboxComponents,
  start: SignedOutboxMessage,
  { isFirst, isInTheWay, premiumAhead = 0n }: Place,
  head: TipSet,
): Promise<Delivery> {
  let message = start;
  const { gasFeeCap, gasPremium } = message.signed.message;
  const waitsForFees = isFirst || gasFeeCap < (head.baseFee ?? 0n) || gasPremium < premiumAhead;
  const isStale = !isWithdrawal(message.signed.message) && (await isOfStaleChain(components, message, head));
  let facts: MessageFacts = { height: head.height, waitsForFees, isInTheWay, isStale };
  const delivered = (state: MessageStateName = message.state): Delivery => ({
    state,
    isOnChain: facts.lookup !== undefined && facts.lookup !== null,
    premium: message.signed.message.gasPremium,
  });
  for (;;) {
    const step = nextStep(message, facts);
    switch (step.do) {
      case 'wait':
        if (facts.lookup === null && facts.push !== 'nonce-too-low' && isStuck(message, facts)) {
          tellBudgetSpent(components, message);
        }
        return delivered();
      case 'finish':
        return delivered((await finish(components, message, step.as, head)) ? step.as.state : message.state);
      case 'push': {
        const push = await pushOnce(components, message);
        if (push === 'accepted') message = await markPushed(components, message);
        facts = { ...facts, push };
        break;
      }
      case 'look-up':
        facts = { ...facts, lookup: await lookUp(components, message, head) };
        break;
      case 'check-nonce':
        facts = { ...facts, nonceTaken: await isNonceTaken(components, message, head) };
        if (facts.nonceTaken) tellForeign(components, message.signer, `nonce ${message.nonce} was used by a message`);
        break;
      case 'replace': {
        // Dearer it would wait as long.
        if (isFirst && (await fillGap(components, message, head))) return delivered();
        const replaced = await replace(components, message, step.message, head);
        // Another process did it, or it may not be.
        if (replaced === undefined) return delivered();
        message = replaced;
        // The new version was not pushed yet.
        const { push: _, ...rest } = facts;
        facts = rest;
        break;
      }
    }
  }
}

async function pushOnce(
  components: OutboxComponents,
  message: SignedOutboxMessage,
): Promise<NonNullable<MessageFacts['push']>> {
  const { clock, logger, db, chain } = components;
  try {
    await chain.push(message.signed);
    return 'accepted';
  } catch (error) {
    if (isPooledAlready(error)) return 'accepted';
    if (isNonceTooLow(error)) return 'nonce-too-low';
    if (errorCode(error) !== 'chain-error') throw error;
    logger.warn({ ...about(message), error: nodeText(error) }, 'the chain node does not take a message');
    if (isShortOfFunds(error)) tellShortOfFunds(components, message, message.signer);
    await storeTrouble(db, message, nodeText(error), clock.now());
    return 'refused';
  }
}

async function markPushed(
  { clock, logger, db }: OutboxComponents,
  message: SignedOutboxMessage,
): Promise<SignedOutboxMessage> {
  if (message.state === 'pushed') return message;
  await storePushed(db, message, clock.now());
  logger.info(about(message), 'message pushed');
  return { ...message, state: 'pushed' };
}

async function finish(
  components: OutboxComponents,
  message: SignedOutboxMessage,
  ending: Ending,
  head: TipSet,
): Promise<boolean> {
  const { clock, logger, db } = components;
  const { state, error, landing } = ending;
  const facts = { ...about(message), height: landing?.height, gasUsed: landing?.gasUsed, exitCode: landing?.exitCode };
  if (state === 'landed') logger.info(facts, 'message landed');
  else logger.warn({ ...facts, error }, 'message failed');
  forget(components, message);
  const fee = landing === undefined ? null : costOf(message.signed.message, landing.gasUsed, head.baseFee ?? 0n);
  return await storeEnding(db, message, ending, fee, clock.now());
}

/** Whether a message that is not ours has the nonce, as far back as this message's confidence. */
async function isNonceTaken({ chain }: OutboxComponents, message: SignedOutboxMessage, head: TipSet): Promise<boolean> {
  const settled = await chain.tipSetByHeight(Math.max(head.height - message.confidence, 0), head.key);
  return (await chain.actorNonce(parseAddress(message.signer), settled.key)) > message.nonce;
}

async function replace(
  components: OutboxComponents,
  message: SignedOutboxMessage,
  successor: Message,
  head: TipSet,
): Promise<SignedOutboxMessage | undefined> {
  const { clock, logger, db, chain } = components;
  const signer = parseAddress(message.signer);
  if (await isForeignInPlace(components, message, signer)) {
    tellForeign(components, message.signer, `nonce ${message.nonce} is held in the pool by a message`);
    return undefined;
  }
  const maxFee = smaller(message.maxFee, await fundsFor(components, message.signer, head, message.id));
  const raised = await raisedToEstimate(components, { ...message, maxFee }, successor, head);
  if (costLimit(raised) > maxFee) {
    tellShortOfFunds(components, message, message.signer);
    return undefined;
  }
  const signed = await signAs(chain, signer, raised);
  const replaced = await storeReplacement(db, message, signed, head.height, clock.now());
  if (replaced === undefined) return undefined;
  if (isWithdrawal(successor)) {
    logger.warn(
      { ...about(replaced), replaces: message.cid },
      'message withdrawn: it is too late, or of another chain',
    );
  } else {
    logger.warn({ ...about(replaced), replaces: message.cid }, 'message replaced by one with higher fees');
  }
  tellStuck(components, message, 'sent again with higher fees');
  return replaced;
}

/** The pool keeps one message for each nonce, and a dearer one of ours would push out what somebody else sent. */
async function isForeignInPlace(
  { chain }: OutboxComponents,
  message: SignedOutboxMessage,
  signer: Parameters<OutboxComponents['chain']['pending']>[0],
): Promise<boolean> {
  const there = (await chain.pending(signer)).find((pooled) => pooled.message.nonce === message.nonce)?.message;
  if (there === undefined) return false;
  const ours = message.signed.message;
  if (isWithdrawal(there)) return !isWithdrawal(ours);
  const recipient = isWithdrawal(ours) ? message.recipient : ours.to;
  const isOurs =
    there.method === message.method &&
    sameAddress(there.to, recipient) &&
    (Buffer.from(there.params).equals(ours.params) || Buffer.from(there.params).equals(message.params));
  return !isOurs;
}

/** A base fee that rose by more than a replacement's usual step is followed at once. */
async function raisedToEstimate(
  { chain }: OutboxComponents,
  message: SignedOutboxMessage,
  successor: Message,
  head: TipSet,
): Promise<Message> {
  const before = message.signed.message;
  try {
    const unpriced = { ...successor, gasFeeCap: 0n, gasPremium: 0n };
    const estimate = await chain.estimateGas(unpriced, { maxFee: message.maxFee }, head.key);
    const { gasFeeCap, gasPremium } = before;
    return withHigherFees({ ...successor, gasFeeCap, gasPremium }, message.maxFee, estimate) ?? successor;
  } catch (error) {
    if (errorCode(error) === 'chain-error') return successor;
    throw error;
  }
}

function about({ id, minerId, nonce, cid }: SignedOutboxMessage) {
  return { message: id, minerId, nonce, cid };
}
