import { goesUp, withSlash } from '../../queue/store-roots.ts';
import type { StorePlace } from '../../rpc/methods.ts';
import type { Replica, WindowPostTask } from '../../rpc/window-post.ts';

/** A store that this host has at a place of its own. */
export interface AttachedStore {
  readonly name: string;
  /** Absolute. */
  readonly location: string;
}

/**
 * The task with the paths that this host has, as it is where none differs. It is read and written anew only where one does: a full
 * partition costs some milliseconds.
 * @param task a window_post task, or its JSON in UTF-8
 * @param places where its paths have the stores
 */
export function localTask(
  task: object,
  init: { readonly places: readonly StorePlace[]; readonly attached: readonly AttachedStore[] },
): object {
  const moves = movesOf(init.places, init.attached);
  if (moves.every(({ from, to }) => from === to)) return task;
  const read: WindowPostTask = task instanceof Uint8Array ? JSON.parse(Buffer.from(task).toString()) : task;
  const replicas = read.replicas.map(
    (replica): Replica => ({
      ...replica,
      cache_dir: moved(replica.cache_dir, moves),
      sealed_file: moved(replica.sealed_file, moves),
    }),
  );
  return { ...read, replicas };
}

interface Move {
  /** Both end with a slash. */
  readonly from: string;
  readonly to: string;
}

/** Longest first: a store may lie in another one's folder. */
function movesOf(places: readonly StorePlace[], attached: readonly AttachedStore[]): Move[] {
  const locations = new Map(attached.map(({ name, location }) => [name, withSlash(location)]));
  return places
    .map(({ name, path }) => ({ from: withSlash(path), to: locations.get(name) ?? withSlash(path) }))
    .sort((a, b) => b.from.length - a.from.length);
}

function moved(path: string, moves: readonly Move[]): string {
  if (goesUp(path)) return path;
  const move = moves.find(({ from }) => path.startsWith(from));
  return move === undefined ? path : move.to + path.slice(move.from.length);
}
