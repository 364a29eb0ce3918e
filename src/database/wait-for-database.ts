import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Database, type DatabaseInit, openDatabase } from './database.ts';
import { migrate } from './migrate.ts';

/**
 * A database with all tables, as soon as its server answers; undefined when the signal came first.
 * @throws CodedError when waiting cannot help: wrong url, password, host, schema or server version
 */
export async function waitForDatabase(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: DatabaseInit,
  signal: AbortSignal,
): Promise<Database | undefined> {
  const isTransient = (error: unknown) => errorCode(error) === 'database-unavailable';
  const onFailure = (error: unknown) => components.logger.warn({ error: errorText(error) }, 'waiting for the database');
  const pauses = { pauseMs: 1_000, maxPauseMs: 5_000, signal, isTransient, onFailure };
  try {
    return await retry(components.clock, pauses, () => openAndMigrate(components, init));
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function openAndMigrate(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: DatabaseInit,
): Promise<Database> {
  const db = await openDatabase(components, init);
  try {
    const applied = await migrate(db);
    if (applied.length > 0) components.logger.info({ applied }, 'database migrated');
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
