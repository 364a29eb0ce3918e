import type { ScanBatch, ScannedSector, ScanProgress } from './scanned-sector.ts';

/** The only line that a scan process reads. When its input ends, so does it. */
export interface ScanOrder {
  readonly path: string;
  readonly pattern: string;
  readonly known: readonly KnownBlocks[];
  readonly sectorsPerSecond: number | null;
  /** A file that gives no answer for this long is left out. */
  readonly fileLimitMs: number;
}

/** Sectors that need not be looked at; bits as in SectorSet, base64. */
export interface KnownBlocks {
  readonly minerId: number;
  readonly upgraded: boolean;
  readonly blocks: readonly (readonly [block: number, bits: string])[];
}

/** Good sectors of one kind; most are. */
interface GoodSectors {
  readonly minerId: number;
  readonly upgraded: boolean;
  readonly sectorSize: number;
  readonly numbers: readonly number[];
}

/** What was found of some sectors. */
export interface Looks {
  readonly good: readonly GoodSectors[];
  readonly doubtful: readonly ScannedSector[];
}

export type FailureCode = 'store-not-readable' | 'store-empty' | 'store-replaced' | 'scan-failed';

/** Lines of a scan process. Each one tells that the store has answered. */
export interface ScanMessage {
  readonly progress?: ScanProgress;
  readonly looks?: Looks;
  readonly strange?: Omit<ScanBatch, 'sectors'>;
  /** The last one is one of these. */
  readonly failure?: { readonly code: FailureCode; readonly reason: string; readonly isMount?: boolean };
  readonly isDone?: true;
}

/** How a sector's file or folder was listed: not at all, as it should be, as a link, as something else. */
export type Listed = 0 | 1 | 2 | 3;

/** What a scan worker works with. */
export interface WorkerStart {
  readonly root: string;
  /** Written by the worker, read while it hangs: which sector of its job it looks at, and how many calls it has made. */
  readonly state: Int32Array;
}

export const SECTOR_AT = 0;
export const CALLS_AT = 1;

/** A job of a scan worker: `items` holds minerId, number, Listed of the sealed file, Listed of the cache folder, and so on. */
export interface LookJob {
  readonly upgraded: boolean;
  readonly items: readonly number[];
}

export interface LookResult {
  readonly looks: Looks;
  readonly sectors: number;
  /** Average time of one call. */
  readonly callMs: number;
}

/** `busy`: some sectors of a job that takes long were looked at. */
export type WorkerMessage = LookResult | 'busy';

export const ITEM_FIELDS = 4;
