import { isRowTrouble } from '../database/database-errors.ts';
import { errorText } from '../errors/coded-error.ts';

/** A row that the server would not have changed, with what it said. */
export interface LeftOut {
  readonly id: string;
  readonly error: string;
}

export interface RowsDone {
  readonly changed: number;
  readonly leftOut: readonly LeftOut[];
}

/** Does the same to many tasks, each by itself: one row that cannot be written keeps no other. */
export async function rowByRow(
  ids: Iterable<string>,
  change: (id: string) => Promise<boolean>,
  signal?: AbortSignal,
): Promise<RowsDone> {
  let changed = 0;
  const leftOut: LeftOut[] = [];
  for (const id of ids) {
    if (signal?.aborted) break;
    try {
      if (await change(id)) changed++;
    } catch (error) {
      if (!isRowTrouble(error)) throw error;
      leftOut.push({ id, error: errorText(error) });
    }
  }
  return { changed, leftOut };
}
