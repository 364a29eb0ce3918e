import type { Address } from '../filecoin/address.ts';
import type { Messager } from './messager.ts';

/**
 * Who gives the nonces. `own`: we do, and the sender is ours alone. `node`: the chain node (MpoolPushMessage). `messager`: a
 * venus-messager, which holds the keys, too.
 */
export type Carrier =
  | { readonly kind: 'own' }
  | { readonly kind: 'node' }
  | { readonly kind: 'messager'; readonly messager: Messager };

/** What a miner's messages may pay. Amounts in attoFIL. */
export interface FeeRules {
  /** Gas limit over gas used; 0: as the node does it. */
  readonly gasOverEstimation: number;
  /** Premium over the node's estimate; 0: the estimate. */
  readonly gasOverPremium: number;
  /** Fee cap of a message's first version; 0: the node's estimate. */
  readonly gasFeeCap: bigint;
  /** Most that a recovery message may cost; window PoSts bring their own limit. */
  readonly maxRecoveryFee: bigint | undefined;
}

export const nodeFees: FeeRules = {
  gasOverEstimation: 0,
  gasOverPremium: 0,
  gasFeeCap: 0n,
  maxRecoveryFee: undefined,
};

/** A miner whose messages are sent. */
export interface SendingMiner {
  readonly minerId: number;
  readonly address: Address;
  /** At least one; the first with funds for a day is used. */
  readonly senders: readonly Address[];
  /** Senders of sealing messages in the same config. */
  readonly sealingSenders: readonly Address[];
  readonly fees: FeeRules;
}

export interface OutboxInit {
  readonly carrier: Carrier;
  readonly miners: readonly SendingMiner[];
}
