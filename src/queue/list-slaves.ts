import type { Executor } from '../database/database.ts';
import type { SlaveReport } from '../rpc/methods.ts';
import { nowMs } from './sql-time.ts';

/** The slaves that ever came, as their rows say: as if all were away. Who is here the leader knows. */
export async function listSlaves(db: Executor): Promise<SlaveReport[]> {
  const rows = await db.selectFrom('slaves').selectAll().select(nowMs.as('now')).orderBy('name').execute();
  return rows.map((row) => ({
    name: row.name,
    state: row.drained === 1 ? 'drained' : 'away',
    remote: row.remote,
    version: row.version,
    slots: row.slots,
    busy: 0,
    sectorSize: row.sector_size,
    joinedAt: row.joined_at,
    leftAt: row.left_at,
    heldUntil: row.held_until > row.now ? row.held_until : null,
  }));
}
