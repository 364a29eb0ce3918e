import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Chain } from '../../chain/chain.ts';
import { connectChain } from '../../chain/connect-chain.ts';
import { pinNetwork } from '../../chain/pin-network.ts';
import { onReload } from '../../cli/on-reload.ts';
import type { ServiceManager } from '../../cli/service-manager.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { untilAborted } from '../../clock/until-aborted.ts';
import type { ListenAddress } from '../../config/kinds.ts';
import { loadManagerConfig, type ManagerConfig } from '../../config/manager-file.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { createVerifier } from '../../ext-processor/verifier.ts';
import { Leadership } from '../../leadership/leadership.ts';
import { MAX_NAME_LENGTH } from '../../rpc/methods.ts';
import { loadTokens } from '../../rpc/tokens.ts';
import { attachedStores } from '../../stores/index/store-records.ts';
import type { PersistStore } from '../../stores/persist-store.ts';
import { configuredStores } from '../../stores/scan/configured-stores.ts';
import { StoreChecker } from '../../stores/store-checker.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { findCluster } from './cluster.ts';
import { databaseWatch } from './database-watch.ts';
import { minerSettings } from './miner-settings.ts';
import { logFindings, preflight } from './preflight/preflight.ts';
import { openProvingRoute } from './proving-route.ts';
import { Reign } from './reign.ts';
import { addScrapedMetrics } from './scraped-metrics.ts';
import { sendingInit } from './sending-init.ts';
import { managerAddress, refuseMixture } from './shadow-guard.ts';
import { storeAlarms } from './store-alarms.ts';
import { StoreReload } from './store-reload.ts';
import { startTelemetry } from './telemetry.ts';
import { openIndex } from './venus-rpc/open-index.ts';
import { serveVenusRpc } from './venus-rpc/serve-venus-rpc.ts';
import { openWinningProver } from './winning-provers.ts';
import { winningSettings } from './winning-settings.ts';

export interface DaemonOptions {
  readonly service?: ServiceManager;
  readonly home: string;
  readonly confDir?: string;
  /** Post window PoSts. */
  readonly poster: boolean;
  /** Serve winning PoSt. */
  readonly miner: boolean;
  /** The winning prover makes a proof at its start. */
  readonly warmUp: boolean;
  readonly extProver?: boolean;
  /** Everything but sending. */
  readonly shadow?: boolean;
  /** Serve the sector index there. */
  readonly listen?: ListenAddress;
  /** Look sectors up at the manager there, `host:port`. */
  readonly proxy?: string;
}

/** The composition root: reads the files, connects everything, leads or stands by until the signal. */
export async function runDaemon(options: DaemonOptions, stopSignal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([stopSignal, failed.signal]);
  const clock = systemClock;
  const logger = createLogger('sector-manager');
  const confDir = options.confDir ?? options.home;
  const file = join(confDir, 'sector-manager.cfg');
  const { config, warnings } = await loadManagerConfig(file);
  for (const warning of warnings) logger.warn(warning);
  const { extProver = false, shadow = false } = options;
  const miners = options.poster ? minerSettings(config, logger, file) : [];
  const winning = winningSettings(config, logger, { file, isAsked: options.miner, shadow });
  if (miners.length === 0 && winning === undefined) {
    throw new CodedError(
      'nothing-to-do',
      `${file} leaves nothing to do: without --poster some miner wants [Miners.Proof] Enabled = true, and no --shadow`,
    );
  }
  const nodes = chainNodes(config, file);
  const sending = sendingInit({ clock }, config, file);

  let reload = (): void => {};
  // From the beginning: a signal that nobody listens to ends the program, or opens its debugger.
  const closers: (() => Promise<void> | void)[] = [onReload(() => reload())];
  try {
    const { metrics, alerts, ...telemetry } = await startTelemetry({ clock, logger }, config);
    closers.push(() => telemetry.close());
    const components = { clock, logger, metrics, alerts };
    const chain = connectChain(components, nodes, { silenceMs: config.common.api.chainEventIntervalMs });
    closers.push(() => chain.close());
    await failIfRefused(chain);
    const cluster = await findCluster(components, { home: options.home, confDir, config, extProver });
    closers.push(() => cluster.stop());
    const onLook = databaseWatch(components);
    onLook(false);
    const db = await waitForDatabase(components, { url: cluster.databaseUrls }, signal);
    if (db === undefined) return;
    closers.push(() => db.close());
    await pinNetwork({ ...components, db, chain }, signal);
    const storesOf = ({ common }: ManagerConfig, known: readonly PersistStore[]) =>
      configuredStores(components, common, { known });
    const configured = await storesOf(config, await attachedStores(db));
    for (const warning of configured.warnings) logger.warn(warning);
    const index = openIndex({ ...components, db }, { proxy: options.proxy });
    const checker = new StoreChecker(
      { ...components, index },
      { stores: configured.stores, onLook: storeAlarms(alerts) },
    );
    closers.push(() => checker.close());
    checker.keepWatch();
    const stores = new StoreReload({ logger, checker }, { file, config, storesOf });
    reload = () => void stores.run();
    addScrapedMetrics({ ...components, db, checker }, { miners });
    const verifier = createVerifier(components);
    closers.push(() => verifier.close());
    const prover = winning && (await openWinningProver(components, { ...options, extProver, confDir }));
    closers.push(() => prover?.close());
    let reign: Reign | undefined;
    const proving = await openProvingRoute(
      { ...components, verifier },
      {
        cluster,
        stores: () => checker.stores,
        onTask: () => reign?.onTask(),
        onRefused: (error) => failed.abort(error),
      },
    );
    closers.push(() => proving.close());
    reload = () => void stores.run().then(() => proving.storesChanged());
    const { tasks, rehearser } = proving;
    const leadership = new Leadership(
      { ...components, db },
      {
        role: 'manager',
        name: `${hostname()}:${resolve(options.home)}`.slice(-MAX_NAME_LENGTH),
        address: managerAddress(shadow),
        async onLead(fenced) {
          reign = new Reign(
            { ...components, db: fenced, chain, checker, verifier, tasks, rehearser },
            {
              miners,
              sending,
              shadow,
              ...(winning && prover && { winning: { ...winning, prover } }),
              onFailure: (error) => failed.abort(error),
            },
          );
          await reign.start();
          proving.lead(fenced);
          metrics.leads(true);
        },
        async onLost() {
          metrics.leads(false);
          proving.lead(undefined);
          const last = reign;
          reign = undefined;
          await last?.close();
        },
        onLook,
      },
    );
    closers.push(() => leadership.close());
    await refuseMixture(db, { shadow, leader: undefined });
    await leadership.start();
    await refuseMixture(db, { shadow, leader: leadership.leader });
    telemetry.health.watch({ chain, db, leads: () => reign !== undefined });
    if (options.listen !== undefined) {
      const tokens = await loadTokens({ file: config.common.metrics.tokenFile, env: process.env });
      const { health } = telemetry;
      const served = await serveVenusRpc({ logger, index, metrics, health }, { ...options.listen, tokens });
      closers.push(() => served.close());
    }
    if (shadow) logger.warn('shadow: nothing is sent; see util sealer proving shadow-report');
    if (leadership.leader !== undefined) alerts.beQuiet();
    logger.info({ miners: miners.map((miner) => miner.minerId), stores: checker.stores.length }, 'sector-manager runs');
    options.service?.ready({ clock, logger }, signal);
    const found = preflight(
      { clock, logger, chain: async () => chain, db: async () => db, verifier },
      {
        miners,
        stores: checker.stores,
        carrier: sending.carrier,
        gateways: winning?.gateways ?? [],
        hasMaster: cluster.children === undefined,
        startsMaster: cluster.startsMaster === true,
      },
    );
    // One that is stopped meanwhile takes its own end for trouble.
    void found.then((findings) => signal.aborted || logFindings(logger, findings));
    await untilAborted(signal);
  } finally {
    for (const close of closers.toReversed()) await close();
    logger.info('sector-manager stopped');
  }
  failed.signal.throwIfAborted();
}

/** A node that is away comes back by itself; a token it turns away has to be mended by somebody. */
async function failIfRefused(chain: Chain): Promise<void> {
  try {
    await chain.head();
  } catch (error) {
    if (!(error instanceof CodedError && error.data.refused === true)) return;
    chain.close();
    throw error;
  }
}

function chainNodes(config: ManagerConfig, file: string) {
  const { chain } = config.common.api;
  if (chain.length > 0) return chain;
  throw new CodedError(
    'no-chain',
    `${file} names no chain node: set [Common.API] Chain, for example to /ip4/127.0.0.1/tcp/1234/ws`,
  );
}
