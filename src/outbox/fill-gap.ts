import type { TipSet } from '../chain/tipset.ts';
import { parseAddress } from '../filecoin/address.ts';
import type { OutboxComponents } from './components.ts';
import type { SignedOutboxMessage } from './outbox-message.ts';
import { signAs } from './sign-as.ts';
import { tellForeign } from './trouble-alerts.ts';
import { isWithdrawal, withdrawalOf } from './withdrawal.ts';

/**
 * Whether nonces before this message are open, which is the first of ours: somebody else's message had them. What waits in the pool
 * is left alone and told; where the pool forgot it, nothing of ours could ever land, so a transfer of nothing takes its place. It
 * needs no row: a nonce lands once, however often it is pushed.
 */
export async function fillGap(
  { chain, logger, alerts }: OutboxComponents,
  message: SignedOutboxMessage,
  head: TipSet,
): Promise<boolean> {
  const signer = parseAddress(message.signer);
  const next = await chain.actorNonce(signer, head.key);
  if (next >= message.nonce) return false;
  const pool = new Map((await chain.pending(signer)).map((signed) => [signed.message.nonce, signed.message]));
  for (let nonce = next; nonce < message.nonce; nonce++) {
    const there = pool.get(nonce);
    if (there === undefined) {
      const transfer = { ...withdrawalOf(message.signed.message), nonce, gasFeeCap: 0n, gasPremium: 0n };
      const priced = await chain.estimateGas(transfer, { maxFee: message.maxFee }, head.key);
      await chain.push(await signAs(chain, signer, { ...priced, nonce }));
      logger.warn({ minerId: message.minerId, signer: message.signer, nonce }, 'a nonce that nobody uses was filled');
    } else if (!isWithdrawal(there)) {
      tellForeign({ alerts }, message.signer, `nonce ${nonce} is held in the pool by a message`);
    }
  }
  return true;
}
