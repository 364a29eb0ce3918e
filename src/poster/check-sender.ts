import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { formatAddress, sameAddress } from '../filecoin/address.ts';
import type { MinerSettings } from './components.ts';

/** What keeps the sender from posting for the miner, as one line for the operator; undefined when nothing does. */
export async function senderTrouble(chain: Chain, miner: MinerSettings, head: TipSet): Promise<string | undefined> {
  const { sender, address } = miner;
  const named = `[Miners.PoSt] Sender ${formatAddress(sender)}`;
  const [info, id, key] = await Promise.all([
    chain.minerInfo(address, head.key),
    chain.lookupId(sender, head.key),
    chain.accountKey(sender, head.key),
  ]);
  if (![info.owner, info.worker, ...info.controlAddresses].some((allowed) => sameAddress(allowed, id))) {
    return `${named} is neither owner, worker nor control address of ${formatAddress(address)}, so the chain refuses its messages`;
  }
  if (!(await chain.walletHas(key))) return `${named}: the node's wallet has no such key; import it there`;
  return undefined;
}
