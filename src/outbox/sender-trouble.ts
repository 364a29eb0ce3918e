import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import { type Address, formatAddress, sameAddress } from '../filecoin/address.ts';

/**
 * What keeps the sender from posting for the miner, as one line for the operator; undefined when nothing does.
 * @param init `signsHere`: whether the chain node holds the key (default), or a messager does
 */
export async function senderTrouble(
  chain: Chain,
  init: { readonly sender: Address; readonly address: Address; readonly signsHere?: boolean },
  head: TipSet,
): Promise<string | undefined> {
  const { sender, address, signsHere = true } = init;
  const named = `[Miners.PoSt] Sender ${formatAddress(sender)}`;
  const [info, id, key] = await Promise.all([
    chain.minerInfo(address, head.key).catch(unlessRefused),
    chain.lookupId(sender, head.key).catch(unlessRefused),
    chain.accountKey(sender, head.key).catch(unlessRefused),
  ]);
  if (info === undefined) return `the chain has no miner ${formatAddress(address)}: correct Actor in [[Miners]]`;
  if (id === undefined || key === undefined)
    return `${named} has no account on this chain: correct it, or send it some funds`;
  if (![info.owner, info.worker, ...info.controlAddresses].some((allowed) => sameAddress(allowed, id))) {
    return `${named} is neither owner, worker nor control address of ${formatAddress(address)}, so the chain refuses its messages`;
  }
  if (!signsHere) return undefined;
  const held = await chain.walletHas(key).catch((error: unknown) => {
    if (errorText(error).includes('missing permission')) return undefined;
    throw error;
  });
  if (held === undefined) {
    return 'the chain token may not sign: give [Common.API] Chain or Token one of `lotus auth create-token --perm sign`';
  }
  if (!held) return `${named}: the node's wallet has no such key; import it there`;
  return undefined;
}

/** The node's own "no" is an answer here; trouble in reaching it is not. */
function unlessRefused(error: unknown): undefined {
  if (errorCode(error) === 'chain-error') return undefined;
  throw error;
}
