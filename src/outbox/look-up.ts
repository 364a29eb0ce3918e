import type { MessageLookup } from '../chain/message-lookup.ts';
import type { TipSet } from '../chain/tipset.ts';
import { parseCid } from '../filecoin/cid.ts';
import { CHAIN_FINALITY } from '../filecoin/policy.ts';
import type { OutboxComponents } from './components.ts';
import { earlierVersions } from './message-store.ts';
import { isUnknownMessage } from './node-answers.ts';
import type { SignedOutboxMessage } from './outbox-message.ts';

/**
 * Finds a message on the chain of this head in any of its versions. Asking for one finds the others of its nonce too, but a node
 * only knows those that were pushed to it or landed.
 */
export async function lookUp(
  { chain, db }: Pick<OutboxComponents, 'chain' | 'db'>,
  message: SignedOutboxMessage,
  head: TipSet,
): Promise<MessageLookup | null> {
  // After a reorganisation it may stand lower than the head at which it was signed.
  const lookback = Math.max(head.height - message.signedHeight, 0) + CHAIN_FINALITY;
  for (const cid of [message.cid, ...(await earlierVersions(db, message.id))]) {
    try {
      const found = await chain.searchMessage(parseCid(cid), { from: head.key, lookback, allowReplaced: true });
      if (found !== null) return found;
    } catch (error) {
      if (!isUnknownMessage(error)) throw error;
    }
  }
  return null;
}
