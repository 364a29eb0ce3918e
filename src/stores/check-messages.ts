import type { StoreFolder } from './sector-files.ts';

/** Which sector's files are meant. */
export interface SectorName {
  readonly minerId: number;
  readonly number: number;
  readonly upgraded: boolean;
  /** In bytes. */
  readonly sectorSize: number;
}

/** What is asked of a check process, one JSON object on a line with an `id` beside it. */
export type Question =
  /** `canaries`: paths below the store of files that were there before. One that gives no answer in time is doubtful. */
  | { readonly ask: 'probe'; readonly canaries: readonly string[]; readonly canaryLimitMs: number }
  | { readonly ask: 'look'; readonly sector: SectorName };

/** What was found of a sealed file or of a cache folder. Only `good` has no reason. */
export interface Finding {
  readonly is: 'good' | 'missing' | 'wrong' | 'unknown';
  readonly reason: string;
}

export interface Look {
  readonly sealed: Finding;
  readonly cache: Finding;
}

export interface Probe {
  /** Device and inode of the store's folder; undefined where it cannot be used, and `trouble` says why. */
  readonly root?: string;
  readonly trouble?: string;
  /** The folders that hold anything. */
  readonly filled: readonly StoreFolder[];
  readonly canaries: CanaryCounts;
}

/** Of the canaries that were asked for. */
export interface CanaryCounts {
  readonly found: number;
  /** "No such file", or nothing in it. */
  readonly gone: number;
  /** Neither can be said. */
  readonly doubtful: number;
}

export type Answer = { readonly probe: Probe } | { readonly look: Look };

/** The first line of a check process. */
export const READY_LINE = 'ready';

/** An argument of the program: no call of the store may hold up the others. */
export const CAREFUL = 'careful';
/** Of these questions, ids after it, calls came back, and the answers take more of them. */
export const BUSY_LINE = 'busy';
