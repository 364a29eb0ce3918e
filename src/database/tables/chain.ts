/** sql/0011-chain.sql. */
export interface ChainNetworkTable {
  /** 1. */
  id: number;
  /** CID of the genesis block. */
  genesis: string;
  name: string;
  /** Milliseconds since 1970. */
  pinned_at: number;
}

export interface DisputeWatchTable {
  miner_id: number;
  /** Of the head at which it was looked. */
  height: number;
  /** JSON list of numbers by deadline. */
  disputable: string;
}
