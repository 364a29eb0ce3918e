import type { Replica } from '../rpc/window-post.ts';

/** `<store>/sealed/s-t01000-5` and `<store>/cache/s-t01000-5`, and the same of upgraded sectors. */
const FOLDERS: ReadonlySet<string> = new Set(['sealed', 'cache', 'update', 'update-cache']);
const SECTOR = /^s-t0\d+-\d+$/;
const LINE_END = /[\n\r\u2028\u2029]/;
const SLASH = 0x2f;
/** What `task_details.stores`, a TEXT of 64 KiB, surely holds. */
const MAX_JSON_BYTES = 60_000;

/**
 * The directories that hold the sectors of a task, ascending; null where the files are laid out in another way, so that nothing is
 * known of them.
 */
export function storeRoots(replicas: readonly Replica[]): readonly string[] | null {
  const roots = new Set<string | undefined>();
  for (const { cache_dir, sealed_file } of replicas) roots.add(storeRoot(cache_dir)).add(storeRoot(sealed_file));
  return listRoots(roots);
}

/** As `storeRoots`, of the roots of all paths. */
export function listRoots(roots: ReadonlySet<string | undefined>): readonly string[] | null {
  const known = [...roots].filter((root) => root !== undefined).sort();
  if (known.length < roots.size) return null;
  return Buffer.byteLength(JSON.stringify(known)) > MAX_JSON_BYTES ? null : known;
}

/** In one pass from the end, whoever made the path: a regular expression for it takes seconds for 60,000 slashes. */
export function storeRoot(path: string): string | undefined {
  if (path.charCodeAt(0) !== SLASH || LINE_END.test(path)) return undefined;
  const sectorEnd = withoutSlashes(path, path.length);
  const sectorFrom = path.lastIndexOf('/', sectorEnd - 1) + 1;
  if (!SECTOR.test(path.slice(sectorFrom, sectorEnd))) return undefined;
  const folderEnd = withoutSlashes(path, sectorFrom);
  const folderFrom = path.lastIndexOf('/', folderEnd - 1) + 1;
  if (!FOLDERS.has(path.slice(folderFrom, folderEnd))) return undefined;
  const rootEnd = withoutSlashes(path, folderFrom);
  if (rootEnd > 0) return path.slice(0, rootEnd);
  return folderFrom > 1 ? '/' : undefined;
}

/** Where such a path leads is not told by how it begins. */
export function goesUp(path: string): boolean {
  return path.includes('/..') && path.split('/').includes('..');
}

/** `path` as what paths below it begin with. */
export function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

/** Where the part of a path ends that comes before `end` and the slashes there. */
function withoutSlashes(path: string, end: number): number {
  let at = end;
  while (at > 0 && path.charCodeAt(at - 1) === SLASH) at--;
  return at;
}

/** A directory and all below it; or, with `at`, a store's alone, since what lies in its folder may be another store. */
export type Readable = string | { readonly at: string };

/** Whether a slave can read each directory of a task; null: any can be read, or nothing is known. */
export function canRead(task: readonly string[] | null, slave: readonly Readable[] | null): boolean {
  if (task === null || slave === null) return true;
  return task.every(
    (directory) =>
      !goesUp(directory) &&
      slave.some((one) => (typeof one === 'string' ? isBelow(directory, one) : directory === one.at)),
  );
}

function isBelow(directory: string, readable: string): boolean {
  return `${directory}/`.startsWith(withSlash(readable));
}
