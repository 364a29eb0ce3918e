import type { Message } from '../filecoin/message.ts';
import { larger, smaller } from './fees.ts';

/** The least raise of the premium, in percent, with which a node takes a message for another of the same nonce. */
const REPLACE_BY_FEE_PERCENT = 110n;

/**
 * The message with a premium 1.25 times as high and twice the fee cap, or what the node asks for now (`estimate`) where that is
 * more, as far as `maxFee` (attoFIL) goes; undefined where that is not enough for a node to take it.
 */
export function withHigherFees(
  message: Message,
  maxFee: bigint,
  estimate: Pick<Message, 'gasFeeCap' | 'gasPremium'> = { gasFeeCap: 0n, gasPremium: 0n },
): Message | undefined {
  const { gasPremium, gasFeeCap, gasLimit } = message;
  const highestCap = maxFee / BigInt(Math.max(gasLimit, 1));
  const wanted = larger((gasPremium * 5n) / 4n + 1n, estimate.gasPremium);
  const cap = smaller(highestCap, larger(larger(gasFeeCap * 2n, wanted), estimate.gasFeeCap));
  const premium = smaller(wanted, cap);
  if (premium < (gasPremium * REPLACE_BY_FEE_PERCENT) / 100n + 1n) return undefined;
  return { ...message, gasPremium: premium, gasFeeCap: cap };
}
