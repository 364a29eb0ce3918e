import { type Message, messageCid } from '../../../filecoin/message.ts';
import { type Execution, executeMessage, exitText, findAccount } from '../chain/apply-message.ts';
import type { Chain } from '../chain/chain.ts';
import { capFee, gasFeeCap, gasLimitFor, gasPremium } from '../chain/gas.ts';
import type { TipSet } from '../chain/tipset.ts';
import type { Account, ChainState } from '../state/chain-state.ts';
import type { SendSpec } from './params.ts';
import { RpcCode, rpcError } from './rpc-error.ts';

/** Blocks ahead for which a fee cap must hold. */
const FEE_CAP_BLOCKS = 20;

/** Runs a message on a state at the height of `tipSet` without changing anything. An unknown sender owns nothing. */
export function tryMessage(chain: Chain, tipSet: TipSet, state: ChainState, message: Message): Promise<Execution> {
  const nobody: Account = { id: -1, key: message.from, nonce: 0, balance: 0n };
  const sender = findAccount(state, message.from) ?? nobody;
  const init = { epoch: tipSet.height, cid: messageCid(message).toString(), randomness: chain.randomness(tipSet) };
  return executeMessage({ verifier: chain.verifier }, init, state, sender, message);
}

/**
 * The gas a message needs at `tipSet`, after the sender's messages that wait in the pool.
 * Throws the node's error with code 3 where it would fail.
 */
export async function estimateGasLimit(chain: Chain, tipSet: TipSet, message: Message): Promise<number> {
  let state = tipSet.applied;
  const sender = findAccount(state, message.from);
  for (const { signed } of chain.pool.pending()) {
    if (sender === undefined || findAccount(state, signed.message.from)?.id !== sender.id) continue;
    state = (await tryMessage(chain, tipSet, state, signed.message)).state;
  }
  const { receipt } = await tryMessage(chain, tipSet, state, message);
  if (receipt.exitCode === 0) return gasLimitFor(receipt.gasUsed);
  const text = `message execution failed (exit=[${exitText(receipt.exitCode)}], vm error=[${receipt.error}])`;
  throw rpcError(RpcCode.executionReverted, text, '0x');
}

/** Fills in what is 0 of gas limit, premium and fee cap. */
export async function estimateGas(chain: Chain, tipSet: TipSet, message: Message, spec: SendSpec): Promise<Message> {
  const gasLimit = message.gasLimit === 0 ? await estimateGasLimit(chain, tipSet, message) : message.gasLimit;
  const premium = message.gasPremium === 0n ? gasPremium() : message.gasPremium;
  const feeCap = message.gasFeeCap === 0n ? gasFeeCap(premium, FEE_CAP_BLOCKS) : message.gasFeeCap;
  return capFee({ ...message, gasLimit, gasPremium: premium, gasFeeCap: feeCap }, spec.maxFee);
}
