import type { Stats } from 'node:fs';
import { errorCode } from '../errors/coded-error.ts';
import type { Finding, Look } from './check-messages.ts';
import { type SectorFiles, storeFolders } from './sector-files.ts';

// What is asked of a store to say of a sector whether its files are there. The calls themselves are made by whoever runs this: a check
// process makes many at a time and waits for none, a thread of a scan makes one after the other, which costs a tenth of the CPU time.
// Files are never opened, so a FIFO cannot block.

/** A call to be made: `lstat` gives the status or undefined where nothing is there, `realpath` a path. Errors are thrown in here. */
export interface FileCall {
  readonly call: 'lstat' | 'realpath';
  /** Absolute. */
  readonly path: string;
}

/** Yields calls, and is resumed with what they gave. */
export type Looking<T> = Generator<FileCall, T, Stats | string | undefined>;

export interface LookedAt {
  /** The store's folder. */
  readonly root: string;
  /** What a link out of the store is: who looks for a sector knows nothing then, who scans a store will not have it. */
  readonly linkOutIs: 'unknown' | 'wrong';
}

export const good: Finding = { is: 'good', reason: '' };
export const missing = (path: string): Finding => ({ is: 'missing', reason: `${path} does not exist` });
export const wrong = (reason: string): Finding => ({ is: 'wrong', reason });

/** A sector whose size is known. */
export function* lookAtSector(store: LookedAt, { sealed, cache }: SectorFiles): Looking<Look> {
  const found = yield* lookAtFile(store, sealed.path);
  const sealedFinding = 'is' in found ? found : sizeFinding(sealed.path, found, sealed.bytes);
  const folder = yield* lookAtFolder(store, cache.path);
  if (folder.is !== 'good') return { sealed: sealedFinding, cache: folder };
  const files = yield* lookAtCacheFiles(store, cache.path, cache.files);
  // The folder is there, and damaged.
  return { sealed: sealedFinding, cache: files.is === 'missing' ? wrong(files.reason) : files };
}

/** @param path below the store, as in all of these */
export function* lookAtFile(store: LookedAt, path: string): Looking<Stats | Finding> {
  const found = yield* lookAtEntry(store, path);
  if ('is' in found) return found;
  return found.isFile() ? found : wrong(`${path} is not a regular file`);
}

export function* lookAtFolder(store: LookedAt, path: string): Looking<Finding> {
  const found = yield* lookAtEntry(store, path);
  if ('is' in found) return found;
  return found.isDirectory() ? good : wrong(`${path} is not a folder`);
}

/** Of a cache folder that is there: the first thing that is not as it should be; what cannot be looked at comes before. */
export function* lookAtCacheFiles(
  store: LookedAt,
  folder: string,
  files: SectorFiles['cache']['files'],
): Looking<Finding> {
  let worst = good;
  for (const { name, bytes } of files) {
    const path = `${folder}/${name}`;
    const found = yield* lookAtFile(store, path);
    const finding = 'is' in found ? found : sizeFinding(path, found, bytes);
    if (finding.is === 'unknown') return finding;
    if (worst.is === 'good') worst = finding;
  }
  return worst;
}

/** Links that stay in the store are followed. */
export function* lookAtEntry(store: LookedAt, path: string): Looking<Stats | Finding> {
  try {
    const found = yield { call: 'lstat', path: `${store.root}/${path}` };
    if (found === undefined) return missing(path);
    if (typeof found !== 'string') return found.isSymbolicLink() ? yield* lookAtTarget(store, path) : found;
  } catch (error) {
    return unseen(path, error);
  }
  return unseen(path);
}

/** "No such file" is said of a link into another store that is not mounted too: the link is there, so nothing is known. */
function* lookAtTarget(store: LookedAt, path: string): Looking<Stats | Finding> {
  const nowhere: Finding = { is: 'unknown', reason: `${path} is a link to something that is not there` };
  try {
    const target = yield { call: 'realpath', path: `${store.root}/${path}` };
    if (typeof target !== 'string') return unseen(path);
    if (!(yield* isInStore(store, target)))
      return { is: store.linkOutIs, reason: `${path} is a link out of the store, which is not followed` };
    const found = yield { call: 'lstat', path: target };
    return found === undefined || typeof found === 'string' ? nowhere : found;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? nowhere : unseen(path, error);
  }
}

/**
 * Whether a real path lies inside the store. The store's folder and the four at its top may be links, since whoever runs the host made
 * them; what lies below was put there by others.
 */
function* isInStore({ root }: LookedAt, path: string): Looking<boolean> {
  for (const folder of ['.', ...storeFolders]) {
    try {
      const top = yield { call: 'realpath', path: `${root}/${folder}` };
      if (typeof top === 'string' && path.startsWith(top.endsWith('/') ? top : `${top}/`)) return true;
    } catch {
      // A folder that is not there holds nothing.
    }
  }
  return false;
}

function sizeFinding(path: string, found: Stats, bytes: number | undefined): Finding {
  if (bytes === undefined || found.size === bytes) return good;
  return wrong(`${path} has ${found.size} bytes instead of ${bytes}`);
}

function unseen(path: string, error?: unknown): Finding {
  return { is: 'unknown', reason: `${path} cannot be looked at (${errorCode(error) ?? 'unknown error'})` };
}
