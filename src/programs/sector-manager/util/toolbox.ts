import { join } from 'node:path';
import type { Chain } from '../../../chain/chain.ts';
import { connectChain } from '../../../chain/connect-chain.ts';
import type { Clock } from '../../../clock/clock.ts';
import { systemClock } from '../../../clock/system-clock.ts';
import { loadManagerConfig, type ManagerConfig } from '../../../config/manager-file.ts';
import { type Database, openDatabase } from '../../../database/database.ts';
import { CodedError } from '../../../errors/coded-error.ts';
import { createLogger, type Logger } from '../../../telemetry/logger.ts';
import { findDatabase } from './find-database.ts';

/** What operator commands work with; made when first asked for, closed after the command. */
export interface Toolbox {
  readonly clock: Clock;
  /** Of what goes on in the background: warnings only, unless the environment asks for more. */
  readonly logger: Logger;
  readonly home: string;
  readonly confDir: string;
  /** sector-manager.cfg. */
  config(): Promise<ManagerConfig>;
  /** The nodes of [Common.API] Chain. */
  chain(): Promise<Chain>;
  /** The manager's, with the tables it has; nothing is started or migrated. @throws CodedError `no-database` and those of `openDatabase` */
  database(): Promise<Database>;
  /** Something to end after the command. */
  onClose(close: () => Promise<void> | void): void;
}

/** Runs `work` with a toolbox and closes what it opened. */
export async function withToolbox<T>(
  options: { readonly home: string; readonly confDir: string | undefined },
  work: (toolbox: Toolbox) => Promise<T>,
): Promise<T> {
  const clock = systemClock;
  const logger = createLogger('sector-manager', { LOG_LEVEL: process.env.LOG_LEVEL ?? 'error' });
  const confDir = options.confDir ?? options.home;
  const file = join(confDir, 'sector-manager.cfg');
  const closers: (() => Promise<void> | void)[] = [];
  const config = once(async () => (await loadManagerConfig(file)).config);
  const chain = once(async () => {
    const nodes = (await config()).common.api.chain;
    if (nodes.length === 0) throw new CodedError('no-chain', `${file} names no chain node: set [Common.API] Chain`);
    const connected = connectChain({ clock, logger }, nodes);
    closers.push(() => connected.close());
    return connected;
  });
  const database = once(async () => {
    const url = await findDatabase({ home: options.home, confDir, config: await config() });
    const db = await openDatabase({ clock, logger }, { url, minConnections: 1, maxConnections: 4 });
    closers.push(() => db.close());
    return db;
  });
  try {
    return await work({
      clock,
      logger,
      home: options.home,
      confDir,
      config,
      chain,
      database,
      onClose: (close) => closers.push(close),
    });
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
