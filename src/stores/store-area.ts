import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { storeFolders } from './sector-files.ts';

// Runs in check processes only.

/** A store, and whom to tell of each of its calls that came back. */
export interface StoreArea {
  readonly root: string;
  readonly onCall: () => void;
}

/**
 * Whether a real path lies inside the store. The store's folder and the four at its top may be links, since whoever runs the host made
 * them; what lies below was put there by others.
 */
export async function isInStore({ root, onCall }: StoreArea, path: string): Promise<boolean> {
  const tops = ['.', ...storeFolders].map((folder) =>
    realpath(join(root, folder))
      .catch(() => undefined)
      .finally(onCall),
  );
  return (await Promise.all(tops)).some(
    (top) => top !== undefined && path.startsWith(top.endsWith(sep) ? top : top + sep),
  );
}
