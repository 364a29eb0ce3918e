import type { Database } from '../database/database.ts';
import { writtenLately } from './leadership-row.ts';

/** Whether a master of this name, which leads or stands by, uses the database now. */
export async function isMasterLive(db: Database, name: string): Promise<boolean> {
  const row = await db.kysely
    .selectFrom('masters')
    .select('name')
    .where('name', '=', name)
    .where(writtenLately('seen_at'))
    .executeTakeFirst();
  return row !== undefined;
}
