import { join } from 'node:path';
import type { Chain } from '../../chain/chain.ts';
import { connectChain } from '../../chain/connect-chain.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { loadManagerConfig, type ManagerConfig } from '../../config/manager-file.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { createRehearser } from '../../ext-processor/rehearser.ts';
import { createVerifier } from '../../ext-processor/verifier.ts';
import { Outbox } from '../../outbox/outbox.ts';
import { MinerPoster } from '../../poster/miner-poster.ts';
import { rpcTaskService } from '../../poster/task-service.ts';
import { StoreChecker } from '../../stores/store-checker.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { findCluster } from './cluster.ts';
import { Manager } from './manager.ts';
import { connectMaster } from './master-connection.ts';
import { minerSettings } from './miner-settings.ts';

export interface DaemonOptions {
  readonly home: string;
  readonly confDir?: string;
  readonly extProver?: boolean;
}

/** The composition root: reads the files, connects everything, follows the chain until the signal. */
export async function runDaemon(options: DaemonOptions, stopSignal: AbortSignal): Promise<void> {
  const refused = new AbortController();
  const signal = AbortSignal.any([stopSignal, refused.signal]);
  const clock = systemClock;
  const logger = createLogger('sector-manager');
  const confDir = options.confDir ?? options.home;
  const file = join(confDir, 'sector-manager.cfg');
  const { config, warnings } = await loadManagerConfig(file);
  for (const warning of warnings) logger.warn(warning);
  const miners = minerSettings(config, logger, file);
  const endpoint = chainEndpoint(config, file);

  const components = { clock, logger };
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const chain = connectChain(components, endpoint);
    closers.push(() => chain.close());
    await failIfRefused(chain);
    const extProver = options.extProver ?? false;
    const cluster = await findCluster(components, { home: options.home, confDir, config, extProver });
    closers.push(() => cluster.stop());
    const db = await waitForDatabase(components, { url: cluster.databaseUrls }, signal);
    if (db === undefined) return;
    closers.push(() => db.close());
    const checker = new StoreChecker(components, { stores: config.common.persistStores });
    closers.push(() => checker.close());
    const verifier = createVerifier(components);
    closers.push(() => verifier.close());
    const master = connectMaster(components, {
      ...cluster,
      onTask: () => manager.onTask(),
      onRefused: (error) => refused.abort(error),
    });
    closers.push(() => master.close());

    const tasks = rpcTaskService(master);
    const rehearser = createRehearser(components);
    const poster = {
      ...components,
      db,
      chain,
      verifier,
      checker,
      rehearser,
      tasks,
      onIntent: () => manager.onIntent(),
    };
    const posters = miners.map((miner) => new MinerPoster(poster, { miner }));
    const outbox = new Outbox({ ...components, db, chain });
    const manager = new Manager({ ...components, chain, outbox }, { posters });
    const stores = config.common.persistStores.length;
    logger.info({ miners: miners.map((miner) => miner.minerId), stores }, 'sector-manager runs');
    await manager.run(signal);
  } finally {
    for (const close of closers.toReversed()) await close();
    logger.info('sector-manager stopped');
  }
  refused.signal.throwIfAborted();
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

function chainEndpoint(config: ManagerConfig, file: string) {
  const { chain } = config.common.api;
  if (chain !== undefined) return chain;
  throw new CodedError(
    'no-chain',
    `${file} names no chain node: set [Common.API] Chain, for example to /ip4/127.0.0.1/tcp/1234/ws`,
  );
}
