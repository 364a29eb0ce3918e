import type { Executor } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';

/**
 * The id that a person meant: written whole, or its beginning where no other task begins so. Null when there is none.
 * @throws CodedError `ambiguous-id`
 */
export async function findTaskId(db: Executor, written: string): Promise<string | null> {
  const pattern = `${written.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const found = new Set<string>();
  for (const table of ['tasks', 'tasks_archived'] as const) {
    const rows = await db.selectFrom(table).select('id').where('id', 'like', pattern).orderBy('id').limit(2).execute();
    // The shortest comes first, so an id that others begin with is found whole.
    for (const { id } of rows) if (id === written) return id;
    for (const { id } of rows) found.add(id);
  }
  if (found.size > 1) {
    throw new CodedError('ambiguous-id', `several tasks begin with ${written}: write more of the id`);
  }
  return [...found][0] ?? null;
}
