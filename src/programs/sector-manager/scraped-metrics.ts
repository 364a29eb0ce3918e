import type { Clock } from '../../clock/clock.ts';
import { withTimeLimit } from '../../clock/time-limit.ts';
import type { Database } from '../../database/database.ts';
import type { MinerSettings } from '../../poster/components.ts';
import type { StoreChecker } from '../../stores/store-checker.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

interface Components {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly db: Database;
  readonly checker: StoreChecker;
}

interface Init {
  readonly miners: readonly Pick<MinerSettings, 'minerId'>[];
  /** Names of all stores. */
  readonly stores: readonly string[];
}

/** Prometheus gives an answer ten seconds by default. */
const LIMIT_MS = 3_000;
const UNDER_WAY = ['intended', 'handing', 'signed', 'pushed'] as const;

/** States that are read when somebody asks for them. */
export function addScrapedMetrics({ clock, metrics, db, checker }: Components, init: Init): void {
  const { miners, stores } = init;
  const counted = async (rows: Promise<readonly { state: string; count: number | string | bigint }[]>) =>
    new Map(
      (await withTimeLimit(clock, LIMIT_MS, 'the database', rows)).map(({ state, count }) => [state, Number(count)]),
    );
  metrics.onScrape(
    { name: 'wdpost_runs', help: 'Deadline runs under way: ok, late, at-risk, lost', label: 'state' },
    () =>
      counted(
        db.kysely
          .selectFrom('post_runs')
          .select(({ fn }) => ['state', fn.countAll().as('count')])
          .where(
            'miner_id',
            'in',
            miners.map(({ minerId }) => minerId),
          )
          .where('finished_at', 'is', null)
          .groupBy('state')
          .execute(),
      ),
  );
  metrics.onScrape({ name: 'wdpost_messages', help: 'Messages under way, by their state', label: 'state' }, () =>
    counted(
      db.kysely
        .selectFrom('messages')
        .select(({ fn }) => ['state', fn.countAll().as('count')])
        .where('state', 'in', UNDER_WAY)
        .groupBy('state')
        .execute(),
    ),
  );
  metrics.onScrape(
    { name: 'wdpost_store_trusted', help: '1: the store was itself when last looked at', label: 'store' },
    async () => new Map(stores.map((store) => [store, checker.troubled.includes(store) ? 0 : 1])),
  );
}
