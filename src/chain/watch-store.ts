import type { Database } from '../database/database.ts';
import type { Disputable } from './disputes.ts';

export async function readWatch(db: Database, minerId: number): Promise<Disputable | undefined> {
  const row = await db.kysely
    .selectFrom('dispute_watch')
    .select(['height', 'disputable'])
    .where('miner_id', '=', minerId)
    .executeTakeFirst();
  return row && { height: row.height, counts: JSON.parse(row.disputable) as number[] };
}

export async function writeWatch(db: Database, minerId: number, { height, counts }: Disputable): Promise<void> {
  const values = { height, disputable: JSON.stringify(counts) };
  await db.transaction((trx) =>
    trx
      .insertInto('dispute_watch')
      .values({ miner_id: minerId, ...values })
      .onDuplicateKeyUpdate(values)
      .execute(),
  );
}
