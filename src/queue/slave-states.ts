import type { Database } from '../database/database.ts';
import { nowMs } from './sql-time.ts';

/** They are away. */
export async function leaveSlaves(db: Database, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await db.transaction((trx) => trx.updateTable('slaves').set({ left_at: nowMs }).where('name', 'in', names).execute());
}

/** A drained slave gets no task, through restarts of its own and of the master. False when it never came. */
export async function setDrained(db: Database, name: string, drained: boolean): Promise<boolean> {
  return await update(db, name, { drained: drained ? 1 : 0 });
}

/** `until` in milliseconds by the database's clock. */
export async function holdSlave(db: Database, name: string, until: number): Promise<void> {
  await update(db, name, { held_until: until });
}

async function update(
  db: Database,
  name: string,
  columns: { drained?: number; held_until?: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db.transaction((trx) =>
    trx.updateTable('slaves').set(columns).where('name', '=', name).executeTakeFirst(),
  );
  return numUpdatedRows > 0n;
}
