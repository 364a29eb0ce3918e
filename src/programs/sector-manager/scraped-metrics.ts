import type { Clock } from '../../clock/clock.ts';
import { withTimeLimit } from '../../clock/time-limit.ts';
import type { Database } from '../../database/database.ts';
import type { MinerSettings } from '../../poster/components.ts';
import type { StoreChecker, StoreState } from '../../stores/store-checker.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

interface Components {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly db: Database;
  readonly checker: StoreChecker;
}

interface Init {
  readonly miners: readonly Pick<MinerSettings, 'minerId'>[];
}

/** Prometheus gives an answer ten seconds by default. */
const LIMIT_MS = 3_000;
const UNDER_WAY = ['intended', 'handing', 'signed', 'pushed'] as const;

/** States that are read when somebody asks for them. */
export function addScrapedMetrics({ clock, metrics, db, checker }: Components, { miners }: Init): void {
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
  const ofStores = async (read: (state: StoreState) => number | undefined) =>
    new Map(
      checker.states.flatMap((state): [string, number][] => {
        const value = read(state);
        return value === undefined ? [] : [[state.store.name, value]];
      }),
    );
  metrics.onScrape(
    { name: 'wdpost_store_trusted', help: '1: the store was itself when last looked at', label: 'store' },
    () => ofStores(({ trouble }) => (trouble === undefined ? 1 : 0)),
  );
  metrics.onScrape(
    {
      name: 'wdpost_store_answer_seconds',
      help: 'What the last look at the store took; absent while it does not answer',
      label: 'store',
    },
    () => ofStores(({ answerMs }) => answerMs && answerMs / 1000),
  );
  metrics.onScrape(
    { name: 'wdpost_store_stuck_processes', help: 'Check processes that hang in the store', label: 'store' },
    () => ofStores(({ abandoned }) => abandoned),
  );
  metrics.onScrape(
    {
      name: 'wdpost_store_findings',
      help: 'What the last reconciliation found: missing, unexpected, duplicate and wrong-size sectors',
      label: 'store',
    },
    async () => {
      const rows = db.kysely
        .selectFrom('store_reconciliations')
        .select(['store as state', 'findings as count'])
        .execute();
      return await counted(rows);
    },
  );
}
