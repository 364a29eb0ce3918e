import type { Chain } from '../chain/chain.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Address } from '../filecoin/address.ts';
import { type Message, messageCid, type SignedMessage } from '../filecoin/message.ts';

/** @throws CodedError `wrong-signature` when the node signed something else */
export async function signAs(chain: Chain, signer: Address, message: Message): Promise<SignedMessage> {
  const { message: returned, signature } = await chain.walletSignMessage(signer, message);
  if (messageCid(returned).equals(messageCid(message))) return { message, signature };
  throw new CodedError(
    'wrong-signature',
    'the chain node signed another message than it was asked to; nothing was sent',
  );
}
