import type { Message } from '../filecoin/message.ts';

/** The least raise of the premium, in percent, with which a node takes a message for another of the same nonce. */
const REPLACE_BY_FEE_PERCENT = 110n;

/**
 * The message with a premium 1.25 times as high and twice the fee cap, as far as `maxFee` (attoFIL) goes; undefined where that is
 * not enough for a node to take it.
 */
export function withHigherFees(message: Message, maxFee: bigint): Message | undefined {
  const { gasPremium, gasFeeCap, gasLimit } = message;
  const highestCap = maxFee / BigInt(Math.max(gasLimit, 1));
  const wanted = (gasPremium * 5n) / 4n + 1n;
  const cap = smaller(highestCap, larger(gasFeeCap * 2n, wanted));
  const premium = smaller(wanted, cap);
  if (premium < (gasPremium * REPLACE_BY_FEE_PERCENT) / 100n + 1n || cap < gasFeeCap) return undefined;
  return { ...message, gasPremium: premium, gasFeeCap: cap };
}

function smaller(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
