import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Database, type DatabaseInit, openDatabase } from './database.ts';
import { isDeadlock } from './database-errors.ts';
import { migrate } from './migrate.ts';

const TRANSIENT = new Set(['database-unavailable', 'database-full', 'database-busy']);

/**
 * A database with all tables, as soon as its server answers; undefined when the signal came first. Tables that are lost while it is
 * used (somebody emptied it, or restored an older dump) are made again, empty.
 * @throws CodedError when waiting cannot help: wrong url, password, host, schema or server version
 */
export async function waitForDatabase(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: DatabaseInit,
  signal: AbortSignal,
): Promise<Database | undefined> {
  const isTransient = (error: unknown) => TRANSIENT.has(errorCode(error) ?? '') || isDeadlock(error);
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
  const applied = await migrateAt(components, init, false);
  if (applied.length > 0) components.logger.info({ applied }, 'database migrated');
  let isMending = false;
  const onIncomplete = () => {
    if (isMending) return;
    isMending = true;
    void mend(components, init).finally(() => {
      isMending = false;
    });
  };
  return await openDatabase(components, { ...init, onIncomplete });
}

/** On a connection of its own: one that mends what is missing would take a statement that fails here for a loss. */
async function migrateAt(
  components: { readonly clock: Clock; readonly logger: Logger },
  { url }: DatabaseInit,
  isMending: boolean,
): Promise<string[]> {
  const db = await openDatabase(components, { url, minConnections: 1, maxConnections: 1 });
  try {
    return await migrate(db, isMending);
  } finally {
    await db.close();
  }
}

async function mend(components: { readonly clock: Clock; readonly logger: Logger }, init: DatabaseInit): Promise<void> {
  const { logger } = components;
  try {
    await migrateAt(components, init, true);
    logger.error('the database has lost tables; they were made again, what was in them is gone');
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'the database has lost tables, and they cannot be made again yet');
  }
}
