import type { Standing } from './choose-node.ts';
import type { TipSet } from './tipset.ts';

/** What is known of a chain node now. Durations in milliseconds. */
export interface NodeHealth {
  readonly url: string;
  readonly isInUse: boolean;
  readonly standing: Standing;
  /** The newest head it told of, where heads are followed, on this connection or an earlier one. */
  readonly head?: TipSet;
  /** Since it told of that head. */
  readonly silentMs?: number;
  /** How old that head was when it came, in epochs by the wall clock, where the network goes with it; negative: from the future. */
  readonly age?: number;
  /** Epochs behind the highest head of any node. */
  readonly behindBy?: number;
  readonly awayMs?: number;
  /** Why it is away. */
  readonly reason?: string;
}
