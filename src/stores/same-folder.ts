import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import { folderIds } from './scan/folder-ids.ts';

interface NamedFolder {
  readonly name: string;
  readonly path: string;
}

/** Stores that are one and the same folder, each with the first one that is; those that do not answer are left out. */
export async function sameFolders(
  clock: Clock,
  stores: readonly NamedFolder[],
): Promise<(readonly [store: NamedFolder, first: NamedFolder])[]> {
  const ids = await folderIds(clock, [...new Set(stores.map(({ path }) => path))]);
  const firsts = new Map<string, NamedFolder>();
  return stores.flatMap((store) => {
    const id = ids.get(store.path);
    if (id === undefined) return [];
    const first = firsts.get(id);
    if (first === undefined) firsts.set(id, store);
    return first === undefined ? [] : [[store, first] as const];
  });
}

/** @throws CodedError `store-same-folder` */
export async function refuseSameFolder(
  clock: Clock,
  store: NamedFolder,
  others: readonly NamedFolder[],
): Promise<void> {
  const differing = others.filter(({ name }) => name !== store.name);
  if (differing.length === 0) return;
  const ids = await folderIds(clock, [...new Set([store, ...differing].map(({ path }) => path))]);
  const id = ids.get(store.path);
  const twin = differing.find(({ path }) => id !== undefined && ids.get(path) === id);
  if (twin === undefined) return;
  const is =
    twin.path === store.path
      ? `is the store ${twin.name} already`
      : `is the same folder as the store ${twin.name} at ${twin.path}; is it mounted? If it is`;
  throw new CodedError(
    'store-same-folder',
    `${store.path} ${is}: say --name ${twin.name}, or take that one out of the config file and storage detach ${twin.name}`,
  );
}
