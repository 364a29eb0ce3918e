import type { Database, Executor } from '../database/database.ts';
import type { ShadowMessagesTable } from '../database/tables/proving.ts';

/** Stores what would have been sent; a message that is there already stays as it is. */
export async function storeDue(db: Database, row: ShadowMessagesTable): Promise<void> {
  await db.transaction((trx) => trx.insertInto('shadow_messages').ignore().values(row).execute());
}

export async function knownShadows(db: Executor, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.selectFrom('shadow_messages').select('message_id').where('message_id', 'in', ids).execute();
  return new Set(rows.map((row) => row.message_id));
}

/** @param posted whether somebody else had its partitions proven; null for what is no proof */
export async function storeShadowEnd(db: Database, id: string, height: number, posted: boolean | null): Promise<void> {
  await db.transaction((trx) =>
    trx
      .updateTable('shadow_messages')
      .set({ ended_height: height, posted: posted === null ? null : Number(posted) })
      .where('message_id', '=', id)
      .where('ended_height', 'is', null)
      .execute(),
  );
}

/** In the order in which they would have been sent. */
export async function shadowMessages(db: Executor, minerId: number): Promise<ShadowMessagesTable[]> {
  return await db
    .selectFrom('shadow_messages')
    .selectAll()
    .where('miner_id', '=', minerId)
    .orderBy('due_height')
    .orderBy('message_id')
    .execute();
}
