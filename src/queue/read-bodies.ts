import type { Database } from '../database/database.ts';

/** Bodies of tasks that are not archived, as they are stored; one that is not there is absent. */
export async function readBodies(db: Database, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const rows = await db.kysely.selectFrom('tasks').select(['id', 'in_body']).where('id', 'in', ids).execute();
  return new Map(rows.map(({ id, in_body }) => [id, in_body]));
}
