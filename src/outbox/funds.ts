import type { TipSet } from '../chain/tipset.ts';
import { parseAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import type { OutboxComponents } from './components.ts';
import { costLimit } from './fees.ts';
import { openMessages } from './message-store.ts';
import { isSigned } from './outbox-message.ts';

/**
 * attoFIL that an account has for one message, beside what its other messages may cost that are not on the chain of this head. A
 * node's pool takes nothing beyond that.
 * @param except the message's id, where it has a nonce already
 */
export async function fundsFor(
  { chain, db }: Pick<OutboxComponents, 'chain' | 'db'>,
  signer: string,
  head: TipSet,
  except?: string,
): Promise<bigint> {
  const account = parseAddress(signer);
  const [balance, nonce] = await Promise.all([
    chain.actorBalance(account, head.key),
    chain.actorNonce(account, head.key),
  ]);
  const promised = (await openMessages(db))
    .filter(isSigned)
    .filter((message) => message.signer === signer && message.nonce >= nonce && message.id !== except)
    .reduce((sum, message) => sum + costLimit(message.signed.message), 0n);
  return balance > promised ? balance - promised : 0n;
}

/**
 * The message at most as dear as these funds allow, as long as that leaves it a quarter above the base fee (attoFIL for each unit of
 * gas), which a rise takes some epochs to eat up; undefined where it does not.
 */
export function withinFunds(message: Message, funds: bigint, baseFee: bigint): Message | undefined {
  if (costLimit(message) <= funds) return message;
  const gasFeeCap = funds / BigInt(Math.max(message.gasLimit, 1));
  if (gasFeeCap * 4n < baseFee * 5n + message.gasPremium * 4n) return undefined;
  return { ...message, gasFeeCap };
}
