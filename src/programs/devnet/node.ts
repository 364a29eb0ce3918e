import type { Chain } from './chain/chain.ts';
import type { Control } from './control.ts';
import type { Tokens } from './rpc/permissions.ts';
import type { Wallet } from './wallet.ts';

/** The parts that the RPC methods work on. */
export interface Node {
  readonly chain: Chain;
  readonly wallet: Wallet;
  readonly tokens: Tokens;
  readonly control: Control;
  readonly networkName: string;
}
