import { databaseNow, type Transaction } from '../database/database.ts';

/**
 * Says that a message must not land any more. Nothing leaves when it was not signed yet; else a transfer of nothing takes its
 * nonce, unless it is on the chain already. It ends as `expired`, `landed` or `failed`.
 */
export async function withdrawMessage(trx: Transaction, id: string): Promise<void> {
  await trx
    .updateTable('messages')
    .set({ expires_epoch: 0, updated_at: databaseNow })
    .where('id', '=', id)
    .where('state', 'in', ['intended', 'handing', 'signed', 'pushed'])
    .execute();
}
