import type { Chain } from '../../../chain/chain.ts';
import type { Clock } from '../../../clock/clock.ts';
import type { Database } from '../../../database/database.ts';
import { errorText } from '../../../errors/coded-error.ts';
import type { MinerSettings } from '../../../poster/components.ts';
import type { Alerts } from '../../../telemetry/alerts.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import { type Capacity, capacityText, readCapacity, readDemand } from './capacity.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alerts: Alerts;
  readonly metrics: Metrics;
  readonly db: Database;
  readonly chain: Chain;
}

const LOOK_MS = 60_000;
/** Partitions come and go slowly, and counting them takes 48 calls for each miner. */
const DEMAND_MS = 6 * 3_600_000;
/** A slave that restarts is no news. */
const LOOKS_BEFORE_ALERT = 3;

/** Says at the start how many GPUs the partitions need, then watches until the signal that as many are ready. */
export async function watchCapacity(
  components: Components,
  miners: readonly MinerSettings[],
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger, alerts, metrics, db, chain } = components;
  let demand: Awaited<ReturnType<typeof readDemand>> | undefined;
  let demandAt = 0;
  let isSaid = false;
  let shortLooks = 0;
  while (!signal.aborted) {
    try {
      if (demand === undefined || clock.monotonic() - demandAt >= DEMAND_MS) {
        demand = await readDemand(chain, miners);
        demandAt = clock.monotonic();
      }
      const capacity = await readCapacity(db, demand);
      metrics.slots(capacity);
      if (!isSaid) logger.info({ ...capacity }, 'capacity');
      isSaid = true;
      const isShort = capacity.needed > 0 && capacity.ready <= capacity.needed;
      shortLooks = isShort ? shortLooks + 1 : 0;
      if (shortLooks >= LOOKS_BEFORE_ALERT) alerts.raise('capacity', alertOf(capacity));
      else if (!isShort) alerts.resolve('capacity');
    } catch (error) {
      logger.debug({ reason: errorText(error) }, 'capacity is not known');
    }
    await clock.sleep(LOOK_MS, signal).catch(() => {});
  }
}

function alertOf(capacity: Capacity) {
  const isLost = capacity.ready < capacity.needed;
  const advice = isLost
    ? 'deadlines will be lost: start more slaves now'
    : 'one that fails costs deadlines: add a slave';
  return {
    class: 'capacity',
    severity: isLost ? 'critical' : 'warning',
    text: `${capacityText(capacity)}; ${advice}`,
  } as const;
}
