import type { Chain } from '../../chain/chain.ts';
import { errorText } from '../../errors/coded-error.ts';
import type { Address } from '../../filecoin/address.ts';
import type { Alerts } from '../../telemetry/alerts.ts';
import type { PersistStore } from '../persist-store.ts';
import type { StoreChecker } from '../store-checker.ts';
import { type Live, liveSectors } from './live-sectors.ts';
import { type ReconcileComponents, type Reconciled, reconcileStore } from './reconcile-store.ts';
import { saveLost } from './save-lost.ts';

interface Components extends ReconcileComponents {
  readonly alerts: Alerts;
  readonly chain: Pick<Chain, 'head' | 'minerInfo' | 'deadlines' | 'partitions' | 'sectors'>;
  readonly checker: Pick<StoreChecker, 'trouble' | 'states' | 'stores' | 'check'>;
}

type Miners = readonly { readonly minerId: number; readonly address: Address }[];

const EVERY_MS = 24 * 3_600_000;
/** After a try that came to nothing, and where a store is not itself: perhaps since much was removed on purpose. */
const AGAIN_MS = 3_600_000;
/** Between looks whether a store is due, or proving has ended. */
const PAUSE_MS = 15_000;
/** 300 looks at files a second, of which no disk takes notice. A store of 100,000 sectors takes an hour. */
const SECTORS_PER_SECOND = 25;

/** Compares one store after the other, each once a day and never while a deadline of ours is read. Ends with the signal. */
export async function keepReconciled(components: Components, miners: Miners, signal: AbortSignal): Promise<void> {
  const { clock, logger } = components;
  for (;;) {
    // At the start, too: whoever just began has better things to do.
    await clock.sleep(PAUSE_MS, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      const store = await dueStore(components);
      if (store !== undefined) await reconcile(components, miners, store, signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: errorText(error) }, 'reconciliation came to nothing');
    }
  }
}

async function reconcile(components: Components, miners: Miners, store: PersistStore, signal: AbortSignal) {
  const { clock, logger, alerts, chain, checker } = components;
  await quiet(components, signal);
  const live = new Map<number, Live>();
  for (const { minerId, address } of miners) live.set(minerId, await liveSectors(chain, address));
  let looked = clock.monotonic();
  const result = await reconcileStore(components, {
    store,
    stores: checker.stores.map(({ name }) => name),
    live,
    sectorsPerSecond: SECTORS_PER_SECOND,
    mayGoOn: async () => {
      if (clock.monotonic() - looked < PAUSE_MS) return;
      await quiet(components, signal);
      looked = clock.monotonic();
    },
    signal,
  });
  logger.info({ store: store.name, ...result }, 'store reconciled');
  tell(alerts, store, result);
  await saveLost(components, live);
}

/** The one that waits longest, where one is due. */
async function dueStore({ clock, db, checker }: Components): Promise<PersistStore | undefined> {
  const rows = await db.kysely.selectFrom('store_reconciliations').select(['store', 'began_at', 'trouble']).execute();
  const troubled = new Set(
    checker.states.filter(({ trouble }) => trouble !== undefined).map(({ store }) => store.name),
  );
  const due = checker.stores.map((store) => {
    const row = rows.find((one) => one.store === store.name);
    const isWell = row?.trouble === null && !troubled.has(store.name);
    return { store, dueAt: row === undefined ? 0 : row.began_at + (isWell ? EVERY_MS : AGAIN_MS) };
  });
  const [first] = due.toSorted((left, right) => left.dueAt - right.dueAt);
  return first !== undefined && first.dueAt <= clock.now() ? first.store : undefined;
}

/** Waits until no partition of ours is looked for or read. */
async function quiet({ clock, db }: Components, signal: AbortSignal): Promise<void> {
  for (;;) {
    const reading = await db.kysely
      .selectFrom('post_partitions')
      .innerJoin('post_runs', 'post_runs.id', 'post_partitions.run_id')
      .select('post_runs.id')
      .where('post_runs.finished_at', 'is', null)
      .where('post_partitions.state', 'in', ['checking', 'proving'])
      .limit(1)
      .executeTakeFirst();
    if (reading === undefined) return;
    await clock.sleep(PAUSE_MS, signal);
  }
}

function tell(alerts: Alerts, { name }: PersistStore, { findings }: Reconciled): void {
  const condition = `store-sectors/${name}`;
  const { missing, 'wrong-size': wrong } = findings;
  if (missing + wrong === 0) {
    alerts.resolve(condition);
    return;
  }
  alerts.raise(condition, {
    class: 'store-sectors',
    severity: 'warning',
    text: `store ${name}: ${missing} sectors are missing and ${wrong} have a file of a wrong size; store_findings_view lists them`,
  });
}
