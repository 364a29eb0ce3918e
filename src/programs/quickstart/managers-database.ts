import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import { loadMasterConfig } from '../../config/master-file.ts';
import type { Database } from '../../database/database.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { createLogger } from '../../telemetry/logger.ts';

const POLL_MS = 200;

/** The embedded database of a manager that is starting, with all tables. */
export async function openManagersDatabase(clock: Clock, managerHome: string, signal: AbortSignal): Promise<Database> {
  const file = join(managerHome, 'embedded_master.toml');
  while (!existsSync(file)) await clock.sleep(POLL_MS, signal);
  const { config } = await loadMasterConfig(file);
  const logger = createLogger('quickstart', { LOG_LEVEL: 'silent' });
  const db = await waitForDatabase({ clock, logger }, { url: config.db.url, minConnections: 1 }, signal);
  if (db === undefined) throw signal.reason;
  return db;
}
