import type { Finding } from '../check-messages.ts';
import type { StoreFolder } from '../sector-files.ts';

/** What was found of a sector in one store. Nothing was read. */
export interface ScannedSector {
  readonly minerId: number;
  readonly number: number;
  readonly upgraded: boolean;
  /** Bytes, told from the files; absent where they do not tell. */
  readonly sectorSize?: number;
  /** `missing` where there is only a cache folder. */
  readonly sealed: Finding;
  /** `missing` where there is no cache folder, or a file in it is not there. */
  readonly cache: Finding;
  /** The cache folder is there, and a file in it is not. */
  readonly isCacheCut?: boolean;
}

/** An entry of one of the folders that is no sector. */
export interface StrangeEntry {
  readonly folder: StoreFolder;
  /** Printable, and cut. */
  readonly name: string;
  readonly reason: string;
}

export interface ScanBatch {
  readonly sectors: readonly ScannedSector[];
  /** The first thousand of a scan. */
  readonly strange: readonly StrangeEntry[];
  /** All there were since the last batch. */
  readonly strangeCount: number;
}

export interface ScanProgress {
  /** Sectors to be looked at, as far as their folders were listed. */
  readonly listed: number;
  readonly looked: number;
  /** Nothing more will be listed. */
  readonly isListed: boolean;
}
