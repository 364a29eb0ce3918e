import type { Address } from '../../../filecoin/address.ts';
import type { MinerState } from './miner-state.ts';

/** An account actor. Amounts are attoFIL. */
export interface Account {
  readonly id: number;
  readonly key: Address;
  /** Nonce of its next message. */
  readonly nonce: number;
  readonly balance: bigint;
}

/** Everything the chain keeps; never changed, so that each tipset can hold on to its own. */
export interface ChainState {
  readonly accounts: ReadonlyMap<number, Account>;
  readonly miners: ReadonlyMap<number, MinerState>;
}

export function withAccount(state: ChainState, account: Account): ChainState {
  return { ...state, accounts: new Map(state.accounts).set(account.id, account) };
}

export function withMiner(state: ChainState, miner: MinerState): ChainState {
  return { ...state, miners: new Map(state.miners).set(miner.id, miner) };
}
