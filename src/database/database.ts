import { Kysely, type Transaction as KyselyTransaction, MysqlDialect, sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import type { Logger } from '../telemetry/logger.ts';
import { checkServer } from './check-server.ts';
import { isDeadlock } from './database-errors.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { openPool } from './pool.ts';
import type { Schema } from './schema.ts';

export type Transaction = KyselyTransaction<Schema>;

/** What a statement outside or inside of a transaction runs on. */
export type Executor = Kysely<Schema> | Transaction;

export interface DatabaseInit {
  /** mysql://user:password@host:port/database, with ?socketPath=/file for a Unix socket. */
  readonly url: string;
  readonly minConnections?: number;
  readonly maxConnections?: number;
  readonly idleTimeoutMs?: number;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
}

const DEADLOCK_RETRIES = 10;

/** Errors while running are `database-unavailable` (connections come back by themselves: try again) or the driver's own. */
export class Database {
  readonly kysely: Kysely<Schema>;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(components: Components, init: DatabaseInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    const pool = openPool(parseDatabaseUrl(init.url), {
      minConnections: init.minConnections ?? 3,
      maxConnections: init.maxConnections ?? 20,
      idleTimeoutMs: init.idleTimeoutMs ?? 600_000,
    });
    this.kysely = new Kysely<Schema>({ dialect: new MysqlDialect({ pool }) });
  }

  /** READ COMMITTED. `work` runs again from its beginning after a deadlock, so it must change nothing but the database. */
  async transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T> {
    let deadlocks = 0;
    return await retry(
      this.#clock,
      {
        pauseMs: 5,
        maxPauseMs: 200,
        isTransient: (error) => isDeadlock(error) && ++deadlocks <= DEADLOCK_RETRIES,
        onFailure: (_, attempt) => this.#logger.debug({ attempt }, 'transaction is run again after a deadlock'),
      },
      () => this.kysely.transaction().execute(work),
    );
  }

  async close(): Promise<void> {
    await this.kysely.destroy();
  }
}

/**
 * A database whose server was found fit.
 * @throws CodedError `bad-database-url`, `database-refused`, `database-unfit` (somebody has to act), `database-unavailable`
 */
export async function openDatabase(components: Components, init: DatabaseInit): Promise<Database> {
  const db = new Database(components, init);
  try {
    await checkServer(db.kysely);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/**
 * The database's clock in milliseconds since 1970: the one clock that judges leases, so that masters whose own clocks differ
 * agree. Sessions are in UTC (pool.ts).
 */
export const databaseNow = sql<number>`CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)`;
