import type { Database } from '../database/database.ts';
import { nowMs } from './sql-time.ts';

/** Of a master that begins to lead: whoever is still there says hello again. */
export async function allSlavesAway(db: Database): Promise<void> {
  await db.transaction((trx) =>
    trx.updateTable('slaves').set({ left_at: nowMs }).where('left_at', 'is', null).execute(),
  );
}
