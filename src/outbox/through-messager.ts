import type { TipSet } from '../chain/tipset.ts';
import type { SendingComponents } from './components.ts';
import { draftOf } from './draft.ts';
import { costOf } from './fees.ts';
import { search } from './look-up.ts';
import { storeEnding, storeHandedOver, storeRaised, storeTrouble } from './message-store.ts';
import type { HeldMessage, Messager } from './messager.ts';
import { type Ending, endingOf, isStuck, isWorthless } from './next-step.ts';
import type { HandedMessage, MessageStateName } from './outbox-message.ts';
import { forget, tellStuck } from './trouble-alerts.ts';

/**
 * Takes a message that a messager sends as far as this head lets it. Whether it is there is asked first, and its id is sent once
 * there; whether it landed only the chain says.
 */
export async function throughMessager(
  components: SendingComponents,
  messager: Messager,
  start: HandedMessage,
  head: TipSet,
): Promise<MessageStateName> {
  const { clock, db, chain, logger, rules } = components;
  let message = start;
  const about = { message: message.id, minerId: message.minerId, uid: message.uid };
  const held = await messager.get(message.uid);
  if (held === undefined) {
    if (isWorthless(message, head.height)) {
      return await finish(components, message, expired(`not sent before epoch ${message.expiresEpoch}`));
    }
    const draft = draftOf(message, message.sender);
    await messager.push(message.uid, draft, rules(message.minerId), message.maxFee);
  }
  if (message.state === 'handing') {
    if (!(await storeHandedOver(db, message, clock.now()))) return message.state;
    message = { ...message, state: 'pushed' };
    logger.info(about, 'message handed to the messager');
  }
  if (held === undefined) return message.state;

  const landing = held.cid === undefined ? null : await search({ chain }, held.cid, message.signedHeight, head);
  if (landing !== null) {
    if (head.height - landing.height < message.confidence) return message.state;
    const fee = costOf(held, landing.gasUsed, head.baseFee ?? 0n);
    return await finish(components, message, endingOf({ ...landing, isWithdrawal: false }), fee);
  }
  if (held.state === 'failed' || held.state === 'nonce-conflict') {
    return await finish(components, message, { state: 'failed', error: `the messager gave it up: ${why(held)}` });
  }
  if (held.state === 'waiting') return await whileUnsigned(components, messager, message, held, head);
  const isDue = isStuck(message, { height: head.height, waitsForFees: true });
  if (held.state === 'signed' && isDue) await raise(components, messager, message, head);
  return message.state;
}

/** No nonce is taken yet, so a message that is too late can be called back. */
async function whileUnsigned(
  components: SendingComponents,
  messager: Messager,
  message: HandedMessage,
  held: HeldMessage,
  head: TipSet,
): Promise<MessageStateName> {
  if (isWorthless(message, head.height)) {
    const isGone = await messager.markBad(message.uid);
    const kept = isGone ? '' : '; its token may not mark it bad, so it may still be sent, to be refused by the chain';
    return await finish(components, message, expired(`the messager did not send it in time: ${why(held)}${kept}`));
  }
  if (held.error !== '') await storeTrouble(components.db, message, held.error, components.clock.now());
  return message.state;
}

async function raise(
  components: SendingComponents,
  messager: Messager,
  message: HandedMessage,
  head: TipSet,
): Promise<void> {
  const may = await messager.replace(message.uid, message.maxFee);
  await storeRaised(components.db, message, head.height, components.clock.now());
  const about = { message: message.id, minerId: message.minerId, uid: message.uid };
  if (may) components.logger.warn(about, 'message replaced by the messager with one of higher fees');
  else components.logger.warn(about, 'fees of a message cannot be raised: the token of the messager has no permission');
  tellStuck(
    components,
    message,
    may
      ? 'the messager was asked to raise its fees'
      : 'its fees cannot be raised: give [Common.API] Messager a token with the permission for ReplaceMessage (admin), or raise them by hand',
  );
}

async function finish(
  components: SendingComponents,
  message: HandedMessage,
  ending: Ending,
  fee: bigint | null = null,
): Promise<MessageStateName> {
  const { state, error, landing } = ending;
  const facts = { message: message.id, minerId: message.minerId, uid: message.uid, height: landing?.height };
  if (state === 'landed') components.logger.info({ ...facts, gasUsed: landing?.gasUsed }, 'message landed');
  else components.logger.warn({ ...facts, error }, 'message failed');
  forget(components, message);
  return (await storeEnding(components.db, message, ending, fee, components.clock.now())) ? state : message.state;
}

const expired = (error: string): Ending => ({ state: 'expired', error });

const why = (held: HeldMessage): string => held.error || 'it says no reason';
