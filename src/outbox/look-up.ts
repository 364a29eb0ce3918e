import type { MessageLookup } from '../chain/message-lookup.ts';
import type { TipSet } from '../chain/tipset.ts';
import { parseCid } from '../filecoin/cid.ts';
import { CHAIN_FINALITY } from '../filecoin/policy.ts';
import type { OutboxComponents } from './components.ts';
import { versions } from './message-store.ts';
import { isUnknownMessage } from './node-answers.ts';
import type { SignedOutboxMessage } from './outbox-message.ts';

/** A message on the chain, and whether it was only the withdrawal of the one asked for. */
export interface Landing extends MessageLookup {
  readonly isWithdrawal: boolean;
}

/**
 * Finds a message on the chain of this head in any of its versions. Asking for one finds others of its nonce and content too, but a
 * node only knows those that were pushed to it or landed.
 */
export async function lookUp(
  { chain, db }: Pick<OutboxComponents, 'chain' | 'db'>,
  message: SignedOutboxMessage,
  head: TipSet,
): Promise<Landing | null> {
  for (const { cid, isWithdrawal } of await versions(db, message)) {
    const found = await search({ chain }, cid, message.signedHeight, head);
    if (found !== null) return { ...found, isWithdrawal };
  }
  return null;
}

/** @param sinceHeight of the head when it was sent */
export async function search(
  { chain }: Pick<OutboxComponents, 'chain'>,
  cid: string,
  sinceHeight: number,
  head: TipSet,
): Promise<MessageLookup | null> {
  // After a reorganisation it may stand lower than the head at which it was sent.
  const lookback = Math.max(head.height - sinceHeight, 0) + CHAIN_FINALITY;
  try {
    return await chain.searchMessage(parseCid(cid), { from: head.key, lookback, allowReplaced: true });
  } catch (error) {
    if (isUnknownMessage(error)) return null;
    throw error;
  }
}
