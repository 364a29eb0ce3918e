import { type Dirent, lstatSync, opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, errorCode } from '../../errors/coded-error.ts';
import { BLOCK_SECTORS, SectorSet } from '../index/sector-set.ts';
import type { StoreFolder } from '../sector-files.ts';
import type { Listed } from './scan-messages.ts';
import { parseSectorName, printableName } from './sector-name.ts';

// Runs in scan processes only: every call may hang with its store.

export interface ListedName {
  readonly minerId: number;
  readonly number: number;
  readonly is: Listed;
}

/** Names read from the system before anything else is done. */
const SLICE = 1_024;
/** 268,435,456 sectors with consecutive numbers: names beyond are made up, and may not fill the memory. */
const MAX_BLOCKS = 65_536;

/** Lists a folder of a store in slices; what is no sector, and what the pattern leaves out, is passed over. */
export class Listing {
  readonly #root: string;
  readonly #pattern: RegExp;
  readonly #onStrange: (folder: StoreFolder, name: string, reason: string) => void;
  readonly #blocks = new Map<number, Set<number>>();
  #blockCount = 0;
  /** Entries of any kind. */
  entries = 0;

  constructor(init: {
    readonly root: string;
    readonly pattern: RegExp;
    readonly onStrange: (folder: StoreFolder, name: string, reason: string) => void;
  }) {
    this.#root = init.root;
    this.#pattern = init.pattern;
    this.#onStrange = init.onStrange;
  }

  /** @param isCache sectors are folders there @throws CodedError `store-not-readable` */
  *slices(folder: StoreFolder, isCache: boolean): Generator<readonly ListedName[]> {
    if (!this.#isThere(folder)) return;
    try {
      // A byte of a name is a character: names need not be UTF-8.
      const entries = opendirSync(join(this.#root, folder), { encoding: 'latin1', bufferSize: SLICE });
      try {
        let entry = entries.readSync();
        while (entry !== null) {
          const slice: ListedName[] = [];
          for (let left = SLICE; entry !== null && left > 0; left--) {
            const listed = this.#sector(folder, entry, isCache);
            if (listed !== undefined) slice.push(listed);
            entry = entries.readSync();
          }
          yield slice;
        }
      } finally {
        entries.closeSync();
      }
    } catch (error) {
      throw notReadable(`${folder}/ cannot be listed (${errorCode(error) ?? 'unknown error'})`);
    }
  }

  #isThere(folder: StoreFolder): boolean {
    const path = join(this.#root, folder);
    let isFolder: boolean;
    try {
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) return false;
      isFolder = found.isDirectory();
      // Whoever runs the host made it; what lies below was put there by others.
      if (found.isSymbolicLink()) isFolder = statSync(path).isDirectory();
    } catch (error) {
      throw notReadable(`${folder}/ cannot be looked at (${errorCode(error) ?? 'unknown error'})`);
    }
    if (!isFolder) throw notReadable(`${folder} is not a folder`);
    return true;
  }

  #sector(folder: StoreFolder, entry: Dirent, isCache: boolean): ListedName | undefined {
    this.entries++;
    const { name } = entry;
    if (!this.#pattern.test(name)) return undefined;
    const parsed = parseSectorName(name);
    const trouble = typeof parsed === 'string' ? parsed : this.#tooFarApart(parsed.minerId, parsed.number);
    if (typeof parsed === 'string' || trouble !== undefined) {
      this.#onStrange(folder, printableName(name), trouble ?? '');
      return undefined;
    }
    const isPlain = isCache ? entry.isDirectory() : entry.isFile();
    return { ...parsed, is: isPlain ? 1 : entry.isSymbolicLink() ? 2 : 3 };
  }

  #tooFarApart(minerId: number, number: number): string | undefined {
    const block = Math.floor(number / BLOCK_SECTORS);
    const blocks = this.#blocks.get(minerId);
    if (blocks?.has(block)) return undefined;
    if (this.#blockCount === MAX_BLOCKS) return 'is passed over: numbers of sectors are too far apart';
    this.#blockCount++;
    if (blocks === undefined) this.#blocks.set(minerId, new Set([block]));
    else blocks.add(block);
    return undefined;
  }
}

/** Names of a folder, kept. */
export class ListedFolder {
  readonly #byMiner = new Map<
    number,
    { readonly plain: SectorSet; readonly link: SectorSet; readonly other: SectorSet }
  >();

  add({ minerId, number, is }: ListedName): void {
    let sets = this.#byMiner.get(minerId);
    if (sets === undefined) {
      sets = { plain: new SectorSet(), link: new SectorSet(), other: new SectorSet() };
      this.#byMiner.set(minerId, sets);
    }
    (is === 1 ? sets.plain : is === 2 ? sets.link : sets.other).add(number);
  }

  /** How it was listed. Told once: it is no longer among the `rest` after that. */
  take(minerId: number, number: number): Listed {
    const sets = this.#byMiner.get(minerId);
    if (sets === undefined) return 0;
    const { plain, link, other } = sets;
    const is = plain.has(number) ? 1 : link.has(number) ? 2 : other.has(number) ? 3 : 0;
    if (is !== 0) (is === 1 ? plain : is === 2 ? link : other).delete(number);
    return is;
  }

  *rest(): Generator<ListedName> {
    for (const [minerId, { plain, link, other }] of this.#byMiner) {
      for (const number of plain) yield { minerId, number, is: 1 };
      for (const number of link) yield { minerId, number, is: 2 };
      for (const number of other) yield { minerId, number, is: 3 };
    }
  }
}

function notReadable(reason: string): CodedError {
  return new CodedError('store-not-readable', reason);
}
