import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import { nowMs } from './sql-time.ts';

/**
 * When a miner's challenge was first asked for, in milliseconds by the database's clock: all that is known of the deadline of a
 * request that gives no Close. Kept, so that neither a restart nor asking again moves it. Asked for later than `staleMs` after
 * that it counts as new: no deadline is open that long, so somebody proves the same challenge for a purpose of his own.
 */
export async function firstAskedFor(
  db: Database,
  challenge: { readonly minerId: number /** 32 bytes, masked or not. */; readonly seed: readonly number[] },
  staleMs: number,
): Promise<number> {
  const key = {
    miner_id: challenge.minerId,
    seed: Buffer.from(proofSeed(Uint8Array.from(challenge.seed))).toString('hex'),
  };
  return await db.transaction(async (trx) => {
    await trx
      .insertInto('proving_seeds')
      .values({ ...key, first_seen_at: nowMs })
      .onDuplicateKeyUpdate({
        first_seen_at: sql<number>`IF(first_seen_at + ${staleMs} <= ${nowMs}, ${nowMs}, first_seen_at)`,
      })
      .execute();
    const { first_seen_at } = await trx
      .selectFrom('proving_seeds')
      .select('first_seen_at')
      .where('miner_id', '=', key.miner_id)
      .where('seed', '=', key.seed)
      .executeTakeFirstOrThrow();
    return first_seen_at;
  });
}
