import type { Chain } from '../chain/chain.ts';
import type { MinerInfo } from '../chain/miner-state.ts';
import type { TipSet } from '../chain/tipset.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';

const ATTO_PER_FIL = 1e18;

/**
 * What makes the chain abort every declaration of recoveries of this miner (builtin-actors, declare_faults_recovered), as one line for
 * the operator; undefined where nothing does.
 */
export async function recoveryTrouble(
  chain: Chain,
  miner: { readonly address: Address; readonly info: MinerInfo },
  head: TipSet,
): Promise<string | undefined> {
  const name = formatAddress(miner.address);
  const { consensusFaultElapsed } = miner.info;
  if (head.height <= consensusFaultElapsed) {
    return (
      `a consensus fault of ${name} is active until epoch ${consensusFaultElapsed}: ` +
      'until then the chain takes no declaration of recoveries'
    );
  }
  const available = await chain.minerAvailableBalance(miner.address, head.key);
  if (available >= 0n) return undefined;
  const missing = (Number(-available) / ATTO_PER_FIL).toFixed(4);
  return (
    `the fee debt of ${name} is ${missing} FIL above what it has unlocked: the chain takes no declaration of recoveries before ` +
    'that much is sent to the miner'
  );
}
