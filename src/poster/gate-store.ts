import type { Database, Executor, Transaction } from '../database/database.ts';
import type { FirstRunGatesTable } from '../database/tables/proving.ts';

export interface Pass {
  readonly minerId: number;
  /** As the chain names itself. */
  readonly network: string;
  readonly by: FirstRunGatesTable['passed_by'];
  readonly task: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The line from stores to verified proof was seen to work for this miner on this network. The first pass counts. */
export async function rememberGatePass(trx: Transaction, pass: Pass): Promise<void> {
  await trx
    .insertInto('first_run_gates')
    .ignore()
    .values({
      miner_id: pass.minerId,
      network: pass.network,
      passed_by: pass.by,
      task_id: pass.task,
      passed_at: pass.now,
    })
    .execute();
}

/** Whether a simulation passed, or a proof of a real deadline was verified and sent. */
export async function isGatePassed(
  { kysely }: Pick<Database, 'kysely'>,
  miner: { readonly minerId: number; readonly network: string },
): Promise<boolean> {
  return (await hasPass(kysely, miner)) || (await hasSentProof(kysely, miner.minerId));
}

async function hasPass(db: Executor, miner: { readonly minerId: number; readonly network: string }): Promise<boolean> {
  const row = await db
    .selectFrom('first_run_gates')
    .select('miner_id')
    .where('miner_id', '=', miner.minerId)
    .where('network', '=', miner.network)
    .executeTakeFirst();
  return row !== undefined;
}

/** Partitions that others had posted have no proof of ours. */
async function hasSentProof(db: Executor, minerId: number): Promise<boolean> {
  const row = await db
    .selectFrom('post_runs')
    .innerJoin('post_partitions', 'post_partitions.run_id', 'post_runs.id')
    .select('post_runs.id')
    .where('post_runs.miner_id', '=', minerId)
    .where('post_partitions.state', 'in', ['sending', 'landed'])
    .where('post_partitions.proof', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
