import type { Replica } from '../rpc/window-post.ts';

/** `<store>/sealed/s-t01000-5` and `<store>/cache/s-t01000-5`, and the same of upgraded sectors. */
const LAYOUT = /^(\/.*?)\/+(?:sealed|cache|update|update-cache)\/+s-t0\d+-\d+\/*$/;
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

export function storeRoot(path: string): string | undefined {
  return LAYOUT.exec(path)?.[1];
}

/** Whether each directory of a task lies below one that a slave can read; null: any can be read, or nothing is known. */
export function canRead(task: readonly string[] | null, slave: readonly string[] | null): boolean {
  if (task === null || slave === null) return true;
  return task.every((directory) => slave.some((readable) => isBelow(directory, readable)));
}

function isBelow(directory: string, readable: string): boolean {
  const root = readable.endsWith('/') ? readable : `${readable}/`;
  return `${directory}/`.startsWith(root);
}
