import type { TipSet } from '../chain/tipset.ts';
import { errorCode } from '../errors/coded-error.ts';
import { parseAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import type { OutboxComponents } from './components.ts';
import { lookUp } from './look-up.ts';
import { storeEnding, storePushed, storeReplacement, storeTrouble } from './message-store.ts';
import { type Ending, type MessageFacts, nextStep } from './next-step.ts';
import { isNonceTooLow, isPooledAlready, nodeText } from './node-answers.ts';
import type { MessageStateName, SignedOutboxMessage } from './outbox-message.ts';
import { signAs } from './sign.ts';

/** Takes a signed message as far as this head lets it; gives the state that it has then. */
export async function deliver(
  components: OutboxComponents,
  start: SignedOutboxMessage,
  firstInLine: boolean,
  head: TipSet,
): Promise<MessageStateName> {
  let message = start;
  let facts: MessageFacts = { height: head.height, firstInLine };
  for (;;) {
    const step = nextStep(message, facts);
    switch (step.do) {
      case 'wait':
        return message.state;
      case 'finish':
        return (await finish(components, message, step.as)) ? step.as.state : message.state;
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
        break;
      case 'replace': {
        const replaced = await replace(components, message, step.message, head);
        // Another process did it.
        if (replaced === undefined) return message.state;
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
  { clock, logger, db, chain }: OutboxComponents,
  message: SignedOutboxMessage,
): Promise<NonNullable<MessageFacts['push']>> {
  try {
    await chain.push(message.signed);
    return 'accepted';
  } catch (error) {
    if (isPooledAlready(error)) return 'accepted';
    if (isNonceTooLow(error)) return 'nonce-too-low';
    if (errorCode(error) !== 'chain-error') throw error;
    logger.warn({ ...about(message), error: nodeText(error) }, 'the chain node does not take a message');
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
  { clock, logger, db }: OutboxComponents,
  message: SignedOutboxMessage,
  ending: Ending,
): Promise<boolean> {
  const { state, error, landing } = ending;
  const facts = { ...about(message), height: landing?.height, gasUsed: landing?.gasUsed, exitCode: landing?.exitCode };
  if (state === 'landed') logger.info(facts, 'message landed');
  else logger.warn({ ...facts, error }, 'message failed');
  return await storeEnding(db, message, ending, clock.now());
}

/** Whether a message that is not ours has the nonce, as far back as this message's confidence. */
async function isNonceTaken({ chain }: OutboxComponents, message: SignedOutboxMessage, head: TipSet): Promise<boolean> {
  const settled = await chain.tipSetByHeight(Math.max(head.height - message.confidence, 0), head.key);
  return (await chain.actorNonce(parseAddress(message.signer), settled.key)) > message.nonce;
}

async function replace(
  { clock, logger, db, chain }: OutboxComponents,
  message: SignedOutboxMessage,
  successor: Message,
  head: TipSet,
): Promise<SignedOutboxMessage | undefined> {
  const signed = await signAs(chain, parseAddress(message.signer), successor);
  const replaced = await storeReplacement(db, message, signed, head.height, clock.now());
  if (replaced) logger.warn({ ...about(replaced), replaces: message.cid }, 'message replaced by one with higher fees');
  return replaced;
}

function about({ id, minerId, nonce, cid }: SignedOutboxMessage) {
  return { message: id, minerId, nonce, cid };
}
