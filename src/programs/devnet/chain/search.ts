import type { Receipt } from './apply-message.ts';
import type { Chain } from './chain.ts';
import type { ChainMessage, TipSet } from './tipset.ts';

/** A message that landed; `tipSet` is the one after its own, which shows its effect. */
export interface FoundMessage {
  readonly message: ChainMessage;
  readonly receipt: Receipt;
  readonly included: TipSet;
  readonly tipSet: TipSet;
}

/**
 * Looks for a message on the chain below `from`, at most `limit` epochs down (-1: all the way). With `allowReplaced` another
 * message of the same sender and nonce is found as well.
 */
export function searchMessage(
  chain: Chain,
  from: TipSet,
  cid: string,
  limit: number,
  allowReplaced: boolean,
): FoundMessage | undefined {
  const wanted = chain.message(cid)?.signed.message;
  if (wanted === undefined) return undefined;
  let child: TipSet | undefined;
  for (const tipSet of chain.store.chainFrom(from)) {
    if (limit >= 0 && tipSet.height < from.height - limit) return undefined;
    for (const [index, message] of tipSet.messages.entries()) {
      const { from: sender, nonce } = message.signed.message;
      const sameNonce = nonce === wanted.nonce && Buffer.compare(sender.payload, wanted.from.payload) === 0;
      const receipt = tipSet.receipts[index];
      if (!sameNonce || receipt === undefined) continue;
      // Executed, but the tipset that shows it is still to come; or its place was taken.
      if (child === undefined || (message.cid !== cid && !allowReplaced)) return undefined;
      return { message, receipt, included: tipSet, tipSet: child };
    }
    child = tipSet;
  }
  return undefined;
}
