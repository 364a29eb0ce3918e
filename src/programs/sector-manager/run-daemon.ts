import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Chain } from '../../chain/chain.ts';
import { connectChain } from '../../chain/connect-chain.ts';
import { pinNetwork } from '../../chain/pin-network.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { untilAborted } from '../../clock/until-aborted.ts';
import { loadManagerConfig, type ManagerConfig } from '../../config/manager-file.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { createRehearser } from '../../ext-processor/rehearser.ts';
import { createVerifier } from '../../ext-processor/verifier.ts';
import { Leadership } from '../../leadership/leadership.ts';
import { slaveRehearser } from '../../poster/slave-rehearser.ts';
import { rpcTaskService } from '../../poster/task-service.ts';
import { MAX_NAME_LENGTH } from '../../rpc/methods.ts';
import { StoreChecker } from '../../stores/store-checker.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { findCluster } from './cluster.ts';
import { databaseWatch } from './database-watch.ts';
import { connectMaster } from './master-connection.ts';
import { minerSettings } from './miner-settings.ts';
import { logFindings, preflight } from './preflight/preflight.ts';
import { Reign } from './reign.ts';
import { addScrapedMetrics } from './scraped-metrics.ts';
import { carrierKind, sendingInit } from './sending-init.ts';
import { managerAddress, refuseMixture } from './shadow-guard.ts';
import { startTelemetry } from './telemetry.ts';

export interface DaemonOptions {
  readonly home: string;
  readonly confDir?: string;
  readonly extProver?: boolean;
  /** Everything but sending. */
  readonly shadow?: boolean;
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
  const miners = minerSettings(config, logger, file);
  const nodes = chainNodes(config, file);
  const sending = sendingInit({ clock }, config, file);

  const closers: (() => Promise<void> | void)[] = [];
  try {
    const { metrics, alerts, ...telemetry } = await startTelemetry({ clock, logger }, config);
    closers.push(() => telemetry.close());
    const components = { clock, logger, metrics, alerts };
    const chain = connectChain(components, nodes, { silenceMs: config.common.api.chainEventIntervalMs });
    closers.push(() => chain.close());
    await failIfRefused(chain);
    const { extProver = false, shadow = false } = options;
    const cluster = await findCluster(components, { home: options.home, confDir, config, extProver });
    closers.push(() => cluster.stop());
    const onLook = databaseWatch(components);
    onLook(false);
    const db = await waitForDatabase(components, { url: cluster.databaseUrls }, signal);
    if (db === undefined) return;
    closers.push(() => db.close());
    await pinNetwork({ ...components, db, chain }, signal);
    const checker = new StoreChecker(components, { stores: config.common.persistStores });
    closers.push(() => checker.close());
    const stores = config.common.persistStores.map(({ name }) => name);
    addScrapedMetrics({ ...components, db, checker }, { miners, stores });
    const verifier = createVerifier(components);
    closers.push(() => verifier.close());
    let reign: Reign | undefined;
    const master = connectMaster(components, {
      ...cluster,
      onTask: () => reign?.onTask(),
      onRefused: (error) => failed.abort(error),
    });
    closers.push(() => master.close());

    const tasks = rpcTaskService(master);
    const rehearser = slaveRehearser(components, { master, local: createRehearser(components) });
    const leadership = new Leadership(
      { ...components, db },
      {
        role: 'manager',
        name: `${hostname()}:${resolve(options.home)}`.slice(-MAX_NAME_LENGTH),
        address: managerAddress(shadow),
        async onLead(fenced) {
          reign = new Reign(
            { ...components, db: fenced, chain, checker, verifier, tasks, rehearser },
            { miners, sending, shadow, onFailure: (error) => failed.abort(error) },
          );
          await reign.start();
          metrics.leads(true);
        },
        async onLost() {
          metrics.leads(false);
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
    if (shadow) logger.warn('shadow: nothing is sent; see util sealer proving shadow-report');
    if (leadership.leader !== undefined) alerts.beQuiet();
    logger.info({ miners: miners.map((miner) => miner.minerId), stores: stores.length }, 'sector-manager runs');
    const found = preflight(
      { clock, logger, chain: async () => chain, db: async () => db, verifier },
      { miners, stores: config.common.persistStores, signsHere: carrierKind(config) !== 'messager' },
    );
    void found.then((findings) => logFindings(logger, findings));
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
