import { sql } from 'kysely';
import { type Database, databaseNow } from '../database/database.ts';
import { LIVE_MS } from './leadership-row.ts';

/** Whether a master of this name, which leads or stands by, uses the database now. */
export async function isMasterLive(db: Database, name: string): Promise<boolean> {
  const row = await db.kysely
    .selectFrom('masters')
    .select('name')
    .where('name', '=', name)
    .where('seen_at', '>', sql<number>`${databaseNow} - ${LIVE_MS}`)
    .executeTakeFirst();
  return row !== undefined;
}
