import { sameAddress } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';

/** Twice what a transfer uses. A message refused on the chain would burn most of its own, larger limit. */
const GAS_LIMIT = 3_000_000;

/** A transfer of nothing to the sender itself: uses the nonce, so that later messages get on, and posts nothing. */
export function withdrawalOf(message: Message): Message {
  return { ...message, to: message.from, value: 0n, method: 0, params: new Uint8Array(), gasLimit: GAS_LIMIT };
}

export function isWithdrawal({ to, from, method, params }: Message): boolean {
  return method === 0 && params.length === 0 && sameAddress(to, from);
}
