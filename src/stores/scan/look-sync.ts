import type { Stats } from 'node:fs';
import { parseSectorSize, sectorSizeNames } from '../../filecoin/sector-size.ts';
import type { Finding } from '../check-messages.ts';
import { foldersOf, type SectorFiles, sectorFiles } from '../sector-files.ts';
import {
  good,
  type LookedAt,
  type Looking,
  lookAtCacheFiles,
  lookAtFile,
  lookAtFolder,
  missing,
  wrong,
} from '../sector-look.ts';
import { callHere } from '../store-calls.ts';
import type { Listed } from './scan-messages.ts';
import type { ScannedSector } from './scanned-sector.ts';

// Runs in the threads of scan processes only: every call may hang with its store.

export interface ListedSector {
  readonly minerId: number;
  readonly number: number;
  readonly upgraded: boolean;
  readonly sealedIs: Listed;
  readonly cacheIs: Listed;
}

const sizes = sectorSizeNames.map(parseSectorSize);
/** Largest first, since a cache of 64 GiB has the files of one of 32 GiB, too. */
const cacheFilesBySize = new Map<number, SectorFiles['cache']['files']>(
  sizes.toReversed().map((sectorSize) => [sectorSize, sectorFiles(1, 0, { upgraded: false, sectorSize }).cache.files]),
);

/** Looks at sectors of one store. */
export class SyncLook {
  readonly #store: LookedAt;
  readonly #onCall: () => void;

  /** @param root without links in it @param onCall a call is about to be made */
  constructor(root: string, onCall: () => void) {
    this.#store = { root, linkOutIs: 'wrong' };
    this.#onCall = onCall;
  }

  look(sector: ListedSector): ScannedSector {
    return this.#carryOut(lookAtListed(this.#store, sector));
  }

  #carryOut<T>(looking: Looking<T>): T {
    let step = looking.next();
    while (!step.done) {
      let said: Stats | string | undefined;
      try {
        this.#onCall();
        said = callHere(step.value);
      } catch (error) {
        step = looking.throw(error);
        continue;
      }
      step = looking.next(said);
    }
    return step.value;
  }
}

/** Listed as it is, and of a size that its files have to tell. */
function* lookAtListed(store: LookedAt, sector: ListedSector): Looking<ScannedSector> {
  const { minerId, number, upgraded, sealedIs, cacheIs } = sector;
  const name = `s-t0${minerId}-${number}`;
  const folders = foldersOf(upgraded);
  const cachePath = `${folders.cache}/${name}`;
  const sealed = yield* lookAtSealed(store, `${folders.sealed}/${name}`, sealedIs);
  const folder = yield* lookAtListedFolder(store, cachePath, cacheIs);
  const sectorSize = sealed.size ?? (folder === good ? yield* sizeOfCache(store, cachePath) : undefined);
  const files = cacheFilesBySize.get(sectorSize ?? 0);
  let cache = folder;
  if (folder === good) {
    cache =
      files === undefined
        ? wrong(`${cachePath} has no file of tree-r-last that tells its sector size`)
        : yield* lookAtCacheFiles(store, cachePath, files);
  }
  return {
    minerId,
    number,
    upgraded,
    sealed: sealed.finding,
    cache,
    ...(folder === good && cache.is === 'missing' && { isCacheCut: true }),
    ...(sectorSize !== undefined && { sectorSize }),
  };
}

function* lookAtSealed(
  store: LookedAt,
  path: string,
  is: Listed,
): Looking<{ readonly finding: Finding; readonly size?: number }> {
  if (is === 0) return { finding: missing(path) };
  if (is === 3) return { finding: wrong(`${path} is not a regular file`) };
  const found = yield* lookAtFile(store, path);
  if ('is' in found) return { finding: found };
  const size = sizes.find((bytes) => bytes === found.size);
  if (size === undefined) return { finding: wrong(`${path} has ${found.size} bytes, which is no sector size`) };
  return { finding: good, size };
}

function* lookAtListedFolder(store: LookedAt, path: string, is: Listed): Looking<Finding> {
  if (is === 0) return missing(path);
  if (is === 3) return wrong(`${path} is not a folder`);
  return is === 1 ? good : yield* lookAtFolder(store, path);
}

function* sizeOfCache(store: LookedAt, path: string): Looking<number | undefined> {
  for (const [size, files] of cacheFilesBySize) {
    const last = files.at(-1);
    const found = last && (yield* lookAtFile(store, `${path}/${last.name}`));
    if (found !== undefined && !('is' in found) && found.size === last?.bytes) return size;
  }
  return undefined;
}
