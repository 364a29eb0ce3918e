import type { Address } from '../filecoin/address.ts';
import type { Message } from '../filecoin/message.ts';
import type { HandedMessage, IntendedMessage } from './outbox-message.ts';

/** The message before it has its gas and its nonce. */
export function draftOf({ recipient, method, params }: IntendedMessage | HandedMessage, from: Address): Message {
  return {
    version: 0,
    to: recipient,
    from,
    nonce: 0,
    value: 0n,
    gasLimit: 0,
    gasFeeCap: 0n,
    gasPremium: 0n,
    method,
    params,
  };
}
