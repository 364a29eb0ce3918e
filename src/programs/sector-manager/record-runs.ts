import type { Chain } from '../../chain/chain.ts';
import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import { errorText } from '../../errors/coded-error.ts';
import { Bitfield } from '../../filecoin/bitfield.ts';
import { EPOCH_DURATION_SECONDS } from '../../filecoin/policy.ts';
import type { MinerSettings } from '../../poster/components.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly db: Database;
  readonly chain: Chain;
}

const LOOK_MS = 30_000;
const ATTO_IN_FIL = 1e18;

/** Records every run that ends from now on, until the signal: how early its partitions were done, and how they ended. */
export async function recordRuns(
  components: Components,
  miners: readonly Pick<MinerSettings, 'minerId'>[],
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = components;
  let since = clock.now();
  while (!signal.aborted) {
    try {
      since = await recordSince(components, miners, since);
    } catch (error) {
      logger.debug({ reason: errorText(error) }, 'ended runs could not be recorded');
    }
    await clock.sleep(LOOK_MS, signal).catch(() => {});
  }
}

/** Returns from when on to look next time. Times in milliseconds since 1970. */
export async function recordSince(
  { db, chain, metrics }: Pick<Components, 'db' | 'metrics'> & { readonly chain: Pick<Chain, 'head'> },
  miners: readonly Pick<MinerSettings, 'minerId'>[],
  since: number,
): Promise<number> {
  const rows = await endedPartitions(db, miners, since);
  if (rows.length === 0) return since;
  const head = await chain.head();
  const epochAt = (ms: number) => head.height + (ms / 1000 - head.minTimestamp) / EPOCH_DURATION_SECONDS;
  const paid = new Set<string>();
  for (const row of rows) {
    const left = (epoch: number) => row.close_epoch - epoch;
    metrics.ended(row.state, row.miner_id, 1);
    if (row.proven_at !== null) metrics.reached('proven', row.miner_id, left(epochAt(row.proven_at)));
    if (row.sent_at !== null) metrics.reached('submitted', row.miner_id, left(epochAt(row.sent_at)));
    if (row.state !== 'landed') continue;
    if (row.height !== null) metrics.reached('landed', row.miner_id, left(row.height));
    metrics.skipped(row.miner_id, Number(Bitfield.fromRlePlus(row.skipped).count));
    if (row.message_id === null || paid.has(row.message_id)) continue;
    paid.add(row.message_id);
    metrics.paid(row.miner_id, Number(row.fee ?? 0) / ATTO_IN_FIL);
  }
  return Math.max(...rows.map((row) => row.ended_at ?? since));
}

async function endedPartitions(db: Database, miners: readonly Pick<MinerSettings, 'minerId'>[], since: number) {
  return await db.kysely
    .selectFrom('post_runs as run')
    .innerJoin('post_partitions as part', 'part.run_id', 'run.id')
    .leftJoin('messages as message', 'message.id', 'part.message_id')
    .select(['run.miner_id', 'run.close_epoch', 'run.finished_at as ended_at', 'part.state', 'part.skipped'])
    .select(['part.proven_at', 'part.message_id', 'message.created_at as sent_at', 'message.height', 'message.fee'])
    .where(
      'run.miner_id',
      'in',
      miners.map(({ minerId }) => minerId),
    )
    .where('run.finished_at', '>', since)
    .execute();
}
