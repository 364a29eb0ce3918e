import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Database, type DatabaseInit, openDatabase } from './database.ts';
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
  const isTransient = (error: unknown) => TRANSIENT.has(errorCode(error) ?? '');
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
  let isMending = false;
  const onIncomplete = () => {
    if (isMending) return;
    isMending = true;
    void mend(components, db).finally(() => {
      isMending = false;
    });
  };
  const db = await openDatabase(components, { ...init, onIncomplete });
  try {
    const applied = await migrate(db);
    if (applied.length > 0) components.logger.info({ applied }, 'database migrated');
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function mend({ logger }: { readonly logger: Logger }, db: Database): Promise<void> {
  try {
    const applied = await migrate(db);
    logger.error({ applied }, 'the database has lost tables; they were made again, what was in them is gone');
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'the database has lost tables, and they cannot be made again yet');
  }
}
