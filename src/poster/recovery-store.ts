import type { Database, Transaction } from '../database/database.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import type { Recoverable } from './recoveries.ts';

/** Sectors in declarations for this window that are under way or landed; a refused or failed one does not count. */
export async function declaredSectors(
  db: Database,
  window: { readonly minerId: number; readonly deadline: number; readonly open: number },
): Promise<Bitfield> {
  const rows = await db.kysely
    .selectFrom('recoveries')
    .innerJoin('messages', 'messages.id', 'recoveries.message_id')
    .select('recoveries.sectors')
    .where('recoveries.miner_id', '=', window.minerId)
    .where('recoveries.deadline', '=', window.deadline)
    .where('recoveries.open_epoch', '=', window.open)
    .where('messages.state', 'not in', ['failed', 'refused', 'expired'])
    .execute();
  return rows.reduce((all, row) => all.union(Bitfield.fromRlePlus(row.sectors)), Bitfield.empty);
}

export async function recordRecovery(
  trx: Transaction,
  record: {
    readonly messageId: string;
    readonly minerId: number;
    readonly recoveries: readonly Recoverable[];
    readonly now: number;
  },
): Promise<void> {
  await trx
    .insertInto('recoveries')
    .values(
      record.recoveries.map((recovery) => ({
        message_id: record.messageId,
        miner_id: record.minerId,
        deadline: recovery.deadline,
        partition_index: recovery.partition,
        open_epoch: recovery.open,
        sectors: Buffer.from(recovery.sectors.toRlePlus()),
        created_at: record.now,
      })),
    )
    .execute();
}
