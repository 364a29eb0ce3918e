import type { CID } from 'multiformats/cid';
import type { TipSetKey } from './tipset.ts';

/** A message on the chain. */
export interface MessageLookup {
  /** Of the message that landed: a replacement of the one asked for where that was allowed. */
  readonly cid: CID;
  readonly exitCode: number;
  readonly return: Uint8Array;
  readonly gasUsed: number;
  /** Epoch of the tipset that executed it, one tipset after the one that holds it. */
  readonly height: number;
  readonly tipSet: TipSetKey;
}
