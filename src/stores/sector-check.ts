/** The files of one sector in one place. */
export interface SectorCopy {
  readonly number: number;
  /** Absolute. */
  readonly sealedFile: string;
  /** Absolute; may lie in another store than the sealed file. */
  readonly cacheDir: string;
}

/** A sector to look for. */
export interface WantedSector {
  readonly number: number;
  /** Its data was replaced by a snap deal (it has a SectorKeyCID), so its files are in update/ and update-cache/. */
  readonly upgraded: boolean;
  /** Copies of it that were read and gave no proof: another one is looked for. */
  readonly corrupt?: readonly SectorCopy[];
}

/** All files are there, with their exact sizes. Nothing was read. */
export interface GoodSector extends SectorCopy {
  readonly verdict: 'good';
  /** The store of the sealed file. */
  readonly store: string;
}

/** What is there are copies that gave no proof, of which this is one. */
interface CorruptSector extends SectorCopy {
  readonly verdict: 'corrupt';
  readonly store: string;
  readonly reason: string;
  /** Why a store may have another copy after all; absent where all can be trusted. */
  readonly doubt?: string;
}

/**
 * `bad`: a file is missing or mis-sized in stores that can all be trusted. `unknown`: no such thing can be said, since a store did
 * not answer, failed, or does not look like itself.
 */
interface DoubtfulSector {
  readonly number: number;
  readonly verdict: 'bad' | 'unknown';
  readonly reason: string;
}

export type SectorCheck = GoodSector | CorruptSector | DoubtfulSector;
