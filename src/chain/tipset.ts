/** CIDs of the blocks of a tipset; names it. Empty: the node's head, where a call allows that. */
export type TipSetKey = readonly string[];

export interface TipSet {
  readonly key: TipSetKey;
  /** Epoch. */
  readonly height: number;
  /** Smallest time stamp of its blocks, in seconds since 1970. */
  readonly minTimestamp: number;
  /** attoFIL for each unit of gas of its messages; absent where the node does not say. */
  readonly baseFee?: bigint;
}

/** `current` is the first of a subscription: whatever happened before it was not told. */
export interface HeadChange {
  readonly type: 'current' | 'apply' | 'revert';
  readonly tipSet: TipSet;
}
