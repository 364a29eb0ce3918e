import type { Message } from '../../../filecoin/message.ts';
import { MinerMethod } from '../../../filecoin/miner-methods.ts';

// What a node charged for messages of small 2 KiB partitions; only their size matters here.
const GAS_BY_METHOD: Readonly<Record<number, number>> = {
  [MinerMethod.SubmitWindowedPoSt]: 20_142_497,
  [MinerMethod.DeclareFaults]: 33_569_251,
  [MinerMethod.DeclareFaultsRecovered]: 16_979_044,
  [MinerMethod.DisputeWindowedPoSt]: 176_025_992,
  [MinerMethod.ChangeWorkerAddress]: 5_948_463,
};
const TRANSFER_GAS = 1_257_463;
const VERIFICATION_GAS = 124_424_171;
const FAILURE_GAS = 2_446_368;

/** attoFIL for each unit of gas; a quiet network's lowest. */
export const BASE_FEE = 100n;
const PREMIUM = 99_724n;
/** attoFIL: 0.07 FIL, what a node takes where a message names no limit. */
const DEFAULT_MAX_FEE = 70_000_000_000_000_000n;

export function gasUsed(message: Message, result: { readonly failed: boolean; readonly verified: boolean }): number {
  if (result.failed) return FAILURE_GAS;
  return (GAS_BY_METHOD[message.method] ?? TRANSFER_GAS) + (result.verified ? VERIFICATION_GAS : 0);
}

/** A node adds a quarter, since state may change before the message lands. */
export const gasLimitFor = (used: number): number => Math.ceil(used * 1.25);

export const gasPremium = (): bigint => PREMIUM;

/** The base fee may rise by an eighth in each block. */
export function gasFeeCap(premium: bigint, blocks: number): bigint {
  return premium + BigInt(Math.floor(Number(BASE_FEE) * 1.125 ** blocks));
}

/** Lowers fee cap and premium so that the message costs at most `maxFee` (0: the node's default). */
export function capFee(message: Message, maxFee: bigint): Message {
  const limit = maxFee === 0n ? DEFAULT_MAX_FEE : maxFee;
  if (message.gasFeeCap * BigInt(message.gasLimit) <= limit) return message;
  const gasFeeCap = limit / BigInt(message.gasLimit);
  return { ...message, gasFeeCap, gasPremium: message.gasPremium < gasFeeCap ? message.gasPremium : gasFeeCap };
}

/** What the sender pays for a message that landed. */
export function messageCost(message: Message, used: number): bigint {
  const tip = message.gasFeeCap - BASE_FEE < message.gasPremium ? message.gasFeeCap - BASE_FEE : message.gasPremium;
  return BigInt(used) * BASE_FEE + BigInt(message.gasLimit) * tip;
}
