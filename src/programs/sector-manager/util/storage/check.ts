import { textTable } from '../../../../cli/text-table.ts';
import { untilSignal } from '../../../../cli/until-signal.ts';
import type { Database } from '../../../../database/database.ts';
import { CodedError, errorText } from '../../../../errors/coded-error.ts';
import { idAddress } from '../../../../filecoin/address.ts';
import { SectorIndex } from '../../../../stores/index/sector-index.ts';
import { type Live, liveSectors } from '../../../../stores/reconcile/live-sectors.ts';
import { type Reconciled, reconcileStore } from '../../../../stores/reconcile/reconcile-store.ts';
import { ALL_STORES } from '../../../../stores/reconcile/save-differences.ts';
import { saveLost } from '../../../../stores/reconcile/save-lost.ts';
import { configuredStores } from '../../../../stores/scan/configured-stores.ts';
import { StoreChecker } from '../../../../stores/store-checker.ts';
import { chosenMiner } from '../proving/miner-scope.ts';
import { usage } from '../proving/usage.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Verb, Written } from '../verb.ts';
import { indexDatabase } from './index-database.ts';
import { ScanMeter } from './scan-meter.ts';

/** store_findings_view has them all. */
const MAX_LISTED = 1_000;

type Outcome = { readonly store: string } & (Reconciled | { readonly trouble: string });

export const check: Verb = {
  name: 'check',
  example: '--store storage1',
  about:
    'compare chain, index and stores at full speed, while the daemon runs; exits with 1 where sectors are missing, a file has a wrong ' +
    'size, or a store cannot be read',
  options: [
    { flags: '--store <name>', about: 'only this store (default: all of them, one after the other)' },
    { flags: '--miner <id>', about: 'only sectors of this miner (default: all of sector-manager.cfg)' },
  ],
  async run(toolbox, written) {
    const { stores } = await configuredStores(toolbox, (await toolbox.config()).common);
    const chosen = stores.filter(({ name }) => written.options.store === undefined || name === written.options.store);
    if (chosen.length === 0) {
      throw usage(`no such store is configured; there are: ${stores.map(({ name }) => name).join(', ') || 'none'}`);
    }
    const live = await liveOfMiners(toolbox, written);
    const db = await indexDatabase(toolbox);
    const index = new SectorIndex({ db });
    const checker = new StoreChecker({ ...toolbox, index }, { stores });
    toolbox.onClose(() => checker.close());
    const components = { clock: toolbox.clock, logger: toolbox.logger, db, index, checker };
    const meter = new ScanMeter(toolbox.clock, process.stderr);
    const signal = untilSignal();
    const outcomes: Outcome[] = [];
    for (const store of chosen) {
      const init = { store, stores: stores.map(({ name }) => name), live, signal };
      const onProgress: ScanMeter['show'] = (progress) => meter.show(progress);
      try {
        outcomes.push({ store: store.name, ...(await reconcileStore(components, { ...init, onProgress })) });
      } catch (error) {
        signal.throwIfAborted();
        outcomes.push({ store: store.name, trouble: errorText(error) });
      }
      meter.clear();
    }
    await saveLost(components, live);
    const findings = await findingsOf(db, [ALL_STORES, ...chosen.map(({ name }) => name)], [...live.keys()]);
    return {
      json: { stores: outcomes, findings },
      text: textOf(outcomes, findings),
      exitCode: outcomes.every(isWell) && findings.every(({ kind }) => kind !== 'missing') ? 0 : 1,
    };
  },
};

/** @throws CodedError `no-miners` */
async function liveOfMiners(toolbox: Toolbox, written: Written): Promise<Map<number, Live>> {
  const { miners } = await toolbox.config();
  const ids =
    written.options.miner === undefined
      ? miners.map(({ actor }) => actor)
      : [await chosenMiner(toolbox, written.options.miner)];
  if (ids.length === 0) throw new CodedError('no-miners', 'sector-manager.cfg has no [[Miners]]: say --miner t01000');
  const chain = await toolbox.chain();
  const live = new Map<number, Live>();
  for (const id of ids) live.set(id, await liveSectors(chain, idAddress(id)));
  return live;
}

async function findingsOf(db: Database, stores: readonly string[], miners: readonly number[]) {
  const rows = await db.kysely
    .selectFrom('store_findings')
    .selectAll()
    .where('store', 'in', stores)
    .where('miner_id', 'in', miners)
    .orderBy('store')
    .orderBy('miner_id')
    .orderBy('sector_number')
    .limit(MAX_LISTED)
    .execute();
  return rows.map(({ store, miner_id, sector_number, upgraded, kind, reason, since }) => ({
    store,
    miner: miner_id,
    sector: sector_number,
    upgraded: upgraded === 1,
    kind,
    reason,
    since,
  }));
}

function isWell(outcome: Outcome): boolean {
  return 'findings' in outcome && outcome.findings.missing + outcome.findings['wrong-size'] === 0;
}

function textOf(outcomes: readonly Outcome[], findings: Awaited<ReturnType<typeof findingsOf>>): string {
  const stores = outcomes.map((outcome) => {
    if ('trouble' in outcome) return [outcome.store, '-', '-', '-', '-', '-', outcome.trouble];
    const { missing, unexpected, duplicate, 'wrong-size': wrong } = outcome.findings;
    return [outcome.store, outcome.sectors, missing, wrong, unexpected, duplicate, ''];
  });
  const lines = [
    textTable(['store', 'sectors', 'missing', 'wrong size', 'unexpected', 'duplicate', 'trouble'], stores),
  ];
  if (findings.length > 0) {
    const rows = findings.map((one) => [one.store || '(none)', `t0${one.miner}`, one.sector, one.kind, one.reason]);
    lines.push('', textTable(['store', 'miner', 'sector', 'is', 'reason'], rows));
  }
  if (findings.length === MAX_LISTED) lines.push(`The first ${MAX_LISTED}; store_findings_view has all of them.`);
  return lines.join('\n');
}
