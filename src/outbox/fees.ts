import type { TipSet } from '../chain/tipset.ts';
import type { Message } from '../filecoin/message.ts';
import type { SendingComponents } from './components.ts';
import type { FeeRules } from './settings.ts';

const BLOCK_GAS_LIMIT = 10_000_000_000;

/**
 * The message with its gas, as the rules want it and at most `maxFee` (attoFIL) dear.
 * @throws CodedError `chain-error` where the chain would not execute it
 */
export async function withGas(
  { chain }: Pick<SendingComponents, 'chain'>,
  draft: Message,
  rules: FeeRules,
  maxFee: bigint,
  head: TipSet,
): Promise<Message> {
  const { gasOverEstimation, gasOverPremium, gasFeeCap } = rules;
  const gasLimit =
    gasOverEstimation === 0
      ? 0
      : Math.min(Math.ceil((await chain.estimateGasLimit(draft, head.key)) * gasOverEstimation), BLOCK_GAS_LIMIT);
  // A cap below the base fee keeps the message out of every block.
  const startCap = gasFeeCap * 4n < (head.baseFee ?? 0n) * 5n ? 0n : gasFeeCap;
  const filled = await chain.estimateGas({ ...draft, gasLimit, gasFeeCap: startCap }, { maxFee }, head.key);
  const highestCap = maxFee / BigInt(Math.max(filled.gasLimit, 1));
  const cap = smaller(filled.gasFeeCap, highestCap);
  const premium = gasOverPremium === 0 ? filled.gasPremium : times(filled.gasPremium, gasOverPremium);
  return { ...draft, gasLimit: filled.gasLimit, gasFeeCap: cap, gasPremium: smaller(premium, cap) };
}

/**
 * attoFIL that a message which used `gasUsed` paid at this base fee: the tip is due for the whole limit, and of what was asked for
 * and not used a part is burnt (the network's rule: the more, the further the limit is above 1.1 times what was used).
 */
export function costOf(
  message: Pick<Message, 'gasLimit' | 'gasFeeCap' | 'gasPremium'>,
  gasUsed: number,
  baseFee: bigint,
) {
  const { gasLimit, gasFeeCap, gasPremium } = message;
  const paidBaseFee = smaller(baseFee, gasFeeCap);
  const tip = smaller(gasPremium, gasFeeCap - paidBaseFee);
  const unused = Math.max(gasLimit - gasUsed, 0);
  const over = Math.min(Math.max(gasLimit - Math.floor((11 * gasUsed) / 10), 0), gasUsed);
  const burnt = gasUsed === 0 ? gasLimit : Math.floor((unused * over) / gasUsed);
  return paidBaseFee * BigInt(gasUsed + burnt) + tip * BigInt(gasLimit);
}

/** attoFIL that a message may cost at most, which its sender must have. */
export function costLimit({ gasLimit, gasFeeCap }: Pick<Message, 'gasLimit' | 'gasFeeCap'>): bigint {
  return gasFeeCap * BigInt(gasLimit);
}

export function smaller(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

export function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

/** To a thousandth. */
function times(amount: bigint, factor: number): bigint {
  return (amount * BigInt(Math.round(factor * 1000))) / 1000n;
}
