import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import { type Address, formatAddress, sameAddress } from '../filecoin/address.ts';
import type { Messager } from './messager.ts';
import type { Carrier } from './settings.ts';

/** What keeps the sender from posting for the miner, as one line for the operator; undefined when nothing does. */
export async function senderTrouble(
  { chain, carrier }: { readonly chain: Chain; readonly carrier: Carrier },
  { sender, address }: { readonly sender: Address; readonly address: Address },
  head: TipSet,
): Promise<string | undefined> {
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
  const why =
    carrier.kind === 'messager' ? await messagerTrouble(carrier.messager, key) : await walletTrouble(chain, key);
  return why && `${named}: ${why}`;
}

async function walletTrouble(chain: Chain, key: Address): Promise<string | undefined> {
  const held = await chain.walletHas(key).catch((error: unknown) => {
    if (errorText(error).includes('missing permission')) return undefined;
    throw error;
  });
  if (held === undefined) {
    return 'the chain token may not sign: give [Common.API] Chain or Token one of `lotus auth create-token --perm sign`';
  }
  return held ? undefined : "the node's wallet has no such key; import it there";
}

async function messagerTrouble(messager: Messager, key: Address): Promise<string | undefined> {
  try {
    if (await messager.walletHas(key)) return undefined;
    return `no wallet of the messager has the key of ${formatAddress(key)}: import it into the wallet, and see that the wallet is connected`;
  } catch (error) {
    if (errorCode(error) !== 'messager-error') throw error;
    return `${errorText(error)}; let the user of [Common.API] Messager's token use this signer`;
  }
}

/** The node's own "no" is an answer here; trouble in reaching it is not. */
function unlessRefused(error: unknown): undefined {
  if (errorCode(error) === 'chain-error') return undefined;
  throw error;
}
