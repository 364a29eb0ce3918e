import { type Address, formatAddress } from '../../../filecoin/address.ts';
import { findAccount, findMiner } from '../chain/apply-message.ts';
import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import type { Account } from '../state/chain-state.ts';
import type { MinerState } from '../state/miner-state.ts';
import { RpcCode, rpcError } from './rpc-error.ts';

// What parameters name, or the node's error for a name that leads nowhere.

export function tipSetAt(chain: Chain, key: readonly string[]): TipSet {
  if (key.length === 0) return chain.head;
  const tipSet = chain.store.get(key);
  if (tipSet !== undefined) return tipSet;
  throw rpcError(RpcCode.plain, `failed to load tipset: get block ${key[0]}: ipld: could not find ${key[0]}`);
}

export function minerAt(tipSet: TipSet, address: Address): MinerState {
  const miner = findMiner(tipSet.state, address);
  if (miner !== undefined) return miner;
  if (findAccount(tipSet.state, address) !== undefined) {
    throw rpcError(RpcCode.plain, 'failed to load miner actor state: actor code is not miner: account');
  }
  // The first hundred ids belong to the system's actors, of which there are only names here.
  if (/^t0[0-9]{1,2}$/.test(formatAddress(address))) {
    throw rpcError(RpcCode.plain, 'failed to load miner actor state: actor code is not miner: init');
  }
  throw rpcError(RpcCode.plain, 'failed to load miner actor: actor not found');
}

export function accountAt(tipSet: TipSet, address: Address): Account {
  const account = findAccount(tipSet.applied, address);
  if (account !== undefined) return account;
  const name = formatAddress(address);
  throw rpcError(RpcCode.plain, `resolution lookup failed (${name}): resolve address ${name}: actor not found`);
}

/** The key address of an account; key addresses are their own, known to the chain or not. */
export function keyAddressAt(tipSet: TipSet, address: Address): Address {
  return address.protocol === 1 || address.protocol === 3 ? address : accountAt(tipSet, address).key;
}
