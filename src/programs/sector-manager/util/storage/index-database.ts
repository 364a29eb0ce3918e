import type { Database } from '../../../../database/database.ts';
import { isIncompleteSchema } from '../../../../database/database-errors.ts';
import { migrate } from '../../../../database/migrate.ts';
import type { Toolbox } from '../toolbox.ts';

/** With the tables of the index: stores may be attached before the daemon ever ran. Tables of another version stay as they are. */
export async function indexDatabase(toolbox: Toolbox): Promise<Database> {
  const db = await toolbox.database();
  try {
    await db.kysely.selectFrom('stores').select('name').limit(1).execute();
  } catch (error) {
    if (!isIncompleteSchema(error)) throw error;
    await migrate(db);
  }
  return db;
}
