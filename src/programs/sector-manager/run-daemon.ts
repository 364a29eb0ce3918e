import { join } from 'node:path';
import { connectChain } from '../../chain/connect-chain.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { loadManagerConfig, type ManagerConfig } from '../../config/manager-file.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { CodedError } from '../../errors/coded-error.ts';
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
  const cluster = await findCluster(components, {
    home: options.home,
    confDir,
    config,
    extProver: options.extProver ?? false,
  });
  const db = await waitForDatabase(components, { url: cluster.databaseUrl }, signal);
  if (db === undefined) return await cluster.stop();
  const chain = connectChain(components, endpoint);
  const verifier = createVerifier(components);
  const checker = new StoreChecker(components, { stores: config.common.persistStores });
  const outbox = new Outbox({ ...components, db, chain });
  const master = connectMaster(components, {
    ...cluster,
    onTask: () => manager.onTask(),
    onRefused: (error) => refused.abort(error),
  });
  const poster = {
    ...components,
    db,
    chain,
    verifier,
    checker,
    tasks: rpcTaskService(master),
    onIntent: () => manager.onIntent(),
  };
  const posters = miners.map((miner) => new MinerPoster(poster, { miner }));
  const manager = new Manager({ ...components, chain, outbox }, { posters });

  logger.info(
    { miners: miners.map((miner) => miner.minerId), stores: config.common.persistStores.length },
    'sector-manager runs',
  );
  try {
    await manager.run(signal);
  } finally {
    await Promise.all([master.close(), verifier.close(), checker.close(), chain.close()]);
    await db.close();
    await cluster.stop();
    logger.info('sector-manager stopped');
  }
  refused.signal.throwIfAborted();
}

function chainEndpoint(config: ManagerConfig, file: string) {
  const { chain } = config.common.api;
  if (chain !== undefined) return chain;
  throw new CodedError(
    'no-chain',
    `${file} names no chain node: set [Common.API] Chain, for example to /ip4/127.0.0.1/tcp/1234/ws`,
  );
}
