import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../errors/coded-error.ts';
import { parseSectorSize, sectorSizeNames } from '../../filecoin/sector-size.ts';
import type { Finding } from '../check-messages.ts';
import { type SectorFiles, sectorFiles, storeFolders } from '../sector-files.ts';
import type { Listed } from './scan-messages.ts';
import type { ScannedSector } from './scanned-sector.ts';

// Runs in the threads of scan processes only: every call may hang with its store. Calls that wait cost a tenth of the CPU time of
// promises, and there is a thread for each. Files are never opened.

type CacheFiles = SectorFiles['cache']['files'];

export interface ListedSector {
  readonly minerId: number;
  readonly number: number;
  readonly upgraded: boolean;
  readonly sealedIs: Listed;
  readonly cacheIs: Listed;
}

const good: Finding = { is: 'good', reason: '' };
const missing = (path: string): Finding => ({ is: 'missing', reason: `${path} does not exist` });
const wrong = (reason: string): Finding => ({ is: 'wrong', reason });

const sizes = sectorSizeNames.map(parseSectorSize);
/** Largest first, since a cache of 64 GiB has the files of one of 32 GiB, too. */
const cacheFilesBySize = new Map<number, CacheFiles>(
  sizes.toReversed().map((sectorSize) => [sectorSize, sectorFiles(1, 0, { upgraded: false, sectorSize }).cache.files]),
);

/** Looks at sectors of one store; `calls` counts the calls made of it. */
export class SyncLook {
  readonly #root: string;
  #tops: readonly string[] | undefined;
  calls = 0;

  /** @param root without links in it */
  constructor(root: string) {
    this.#root = root;
  }

  look(sector: ListedSector): ScannedSector {
    const { minerId, number, upgraded, sealedIs, cacheIs } = sector;
    const name = `s-t0${minerId}-${number}`;
    const sealedPath = `${upgraded ? 'update' : 'sealed'}/${name}`;
    const cachePath = `${upgraded ? 'update-cache' : 'cache'}/${name}`;
    const sealed = this.#sealed(sealedPath, sealedIs);
    const folder = this.#folder(cachePath, cacheIs);
    const sectorSize = sealed.size ?? (folder === good ? this.#sizeOfCache(cachePath) : undefined);
    const files = cacheFilesBySize.get(sectorSize ?? 0);
    const cache =
      folder !== good
        ? folder
        : files === undefined
          ? wrong(`${cachePath} has no file of tree-r-last that tells its sector size`)
          : this.#cache(cachePath, files);
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

  #sealed(path: string, is: Listed): { readonly finding: Finding; readonly size?: number } {
    if (is === 0) return { finding: missing(path) };
    if (is === 3) return { finding: wrong(`${path} is not a regular file`) };
    const found = this.#file(path);
    if ('is' in found) return { finding: found };
    const size = sizes.find((bytes) => bytes === found.size);
    if (size === undefined) return { finding: wrong(`${path} has ${found.size} bytes, which is no sector size`) };
    return { finding: good, size };
  }

  #folder(path: string, is: Listed): Finding {
    if (is === 0) return missing(path);
    if (is === 3) return wrong(`${path} is not a folder`);
    if (is === 1) return good;
    const target = this.#target(path);
    if ('is' in target) return target;
    return target.isDirectory() ? good : wrong(`${path} is not a folder`);
  }

  #cache(path: string, files: CacheFiles): Finding {
    for (const { name, bytes } of files) {
      const filePath = `${path}/${name}`;
      const found = this.#file(filePath);
      if ('is' in found) return found;
      if (bytes !== undefined && found.size !== bytes)
        return wrong(`${filePath} has ${found.size} bytes instead of ${bytes}`);
    }
    return good;
  }

  #sizeOfCache(path: string): number | undefined {
    for (const [size, files] of cacheFilesBySize) {
      const last = files.at(-1);
      const found = last && this.#file(`${path}/${last.name}`);
      if (found !== undefined && !('is' in found) && found.size === last?.bytes) return size;
    }
    return undefined;
  }

  #file(path: string): Stats | Finding {
    let found: Stats | Finding | undefined;
    try {
      this.calls++;
      found = lstatSync(join(this.#root, path), { throwIfNoEntry: false });
    } catch (error) {
      return unknown(path, error);
    }
    if (found === undefined) return missing(path);
    if (found.isSymbolicLink()) found = this.#target(path);
    if ('is' in found) return found;
    return found.isFile() ? found : wrong(`${path} is not a regular file`);
  }

  /** As `isInStore` of the existence check says it. */
  #isInside(target: string): boolean {
    this.#tops ??= ['.', ...storeFolders].flatMap((folder) => {
      this.calls++;
      try {
        return [realpathSync.native(join(this.#root, folder))];
      } catch {
        return [];
      }
    });
    return this.#tops.some((top) => target.startsWith(`${top}/`));
  }

  /** Of a link, which may only lead to somewhere in the same store. */
  #target(path: string): Stats | Finding {
    try {
      this.calls += 2;
      const target = realpathSync.native(join(this.#root, path));
      if (!this.#isInside(target)) return wrong(`${path} is a link out of the store`);
      return statSync(target);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return unknown(path, error);
      return { is: 'unknown', reason: `${path} is a link to something that is not there` };
    }
  }
}

function unknown(path: string, error: unknown): Finding {
  return { is: 'unknown', reason: `${path} cannot be looked at (${errorCode(error) ?? 'unknown error'})` };
}
