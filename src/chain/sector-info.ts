import type { CID } from 'multiformats/cid';

/** What the chain records of one sector. */
export interface SectorInfo {
  readonly number: number;
  /** RegisteredSealProof. */
  readonly sealProof: number;
  readonly sealedCid: CID;
  /** The sealed CID before an upgrade (snap); null for a sector never upgraded. */
  readonly sectorKeyCid: CID | null;
  readonly expiration: number;
}
