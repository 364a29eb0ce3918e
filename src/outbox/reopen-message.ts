import { databaseNow, type Transaction } from '../database/database.ts';

/**
 * Says that a message that had landed is on the chain no more: it is pushed until it lands again. False where it cannot, since it
 * ended in another way.
 */
export async function reopenMessage(trx: Transaction, id: string): Promise<boolean> {
  await trx
    .updateTable('messages')
    .set({ state: 'pushed', exit_code: null, height: null, updated_at: databaseNow })
    .where('id', '=', id)
    .where('state', '=', 'landed')
    .execute();
  const row = await trx.selectFrom('messages').select('state').where('id', '=', id).executeTakeFirst();
  return row !== undefined && ['intended', 'handing', 'signed', 'pushed'].includes(row.state);
}
