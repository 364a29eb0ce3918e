import { Kysely, type Transaction as KyselyTransaction, MysqlDialect, type RawBuilder, sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isDeadlock, isLockTimeout } from './database-errors.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { Pool } from './pool.ts';
import type { Schema } from './schema.ts';
import { type StatementResult, together } from './together.ts';

export type Transaction = KyselyTransaction<Schema>;

/** What a statement outside or inside of a transaction runs on. */
export type Executor = Kysely<Schema> | Transaction;

export interface DatabaseInit {
  /** As `parseDatabaseUrl`; of several servers of one database one is used at a time, the first at first. */
  readonly url: string | readonly string[];
  readonly minConnections?: number;
  readonly maxConnections?: number;
  readonly idleTimeoutMs?: number;
  /** Tables or columns are missing; statements that want them fail with `database-unavailable` where this is given. */
  readonly onIncomplete?: () => void;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
}

const DEADLOCK_RETRIES = 10;
/** 10 s have gone by then, so it is tried again only twice. */
const COST_OF_LOCK_TIMEOUT = 5;

/** The first statement of every transaction, which locks what it reads to the end. */
export interface Fence {
  readonly statement: RawBuilder<unknown>;
  /** Throws when the transaction may not go on. */
  readonly judge: (rows: readonly unknown[]) => void;
  /** The same for those that are sent whole: a `demand`. */
  readonly demand: RawBuilder<unknown>;
}

const BEGIN = sql`begin`;
const COMMIT = sql`commit`;
const ROLLBACK = sql`rollback`;

/**
 * Errors while running are `database-unavailable`, `database-full`, `database-busy` (connections come back by themselves: try
 * again), those of `openDatabase` where the server was changed meanwhile, or the driver's own.
 */
export class Database {
  readonly kysely: Kysely<Schema>;
  readonly #components: Components;
  readonly #fence: Fence | undefined;

  constructor(components: Components, init: { readonly kysely: Kysely<Schema>; readonly fence?: Fence }) {
    this.#components = components;
    this.kysely = init.kysely;
    this.#fence = init.fence;
  }

  /**
   * The same connections, with `fence` as the first thing in every transaction: what it locks stays locked to the end, so a
   * transaction that passed is committed before the judged fact can change. Statements outside of transactions are not checked.
   * Whoever opened the database closes it.
   */
  fenced(fence: Fence): Database {
    return new Database(this.#components, { kysely: this.kysely, fence });
  }

  /**
   * READ COMMITTED. `work` runs again from its beginning after a deadlock, so it must change nothing but the database.
   * Where the connection is lost at the commit nobody knows whether it was one: `database-unavailable`, too.
   */
  async transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T> {
    return await this.transactionFrom([], work);
  }

  /** A transaction whose first statements are known: they are sent with its beginning, in one round trip. */
  async transactionFrom<T>(
    first: readonly RawBuilder<unknown>[],
    work: (trx: Transaction, results: readonly StatementResult[]) => Promise<T>,
  ): Promise<T> {
    return await this.#retried(() =>
      this.kysely.transaction().execute(async (trx) => {
        const fence = this.#fence;
        if (fence === undefined) return await work(trx, await together(trx, first));
        const [judged, ...results] = await together(trx, [fence.statement, ...first]);
        fence.judge(judged?.rows ?? []);
        return await work(trx, results);
      }),
    );
  }

  /**
   * A transaction that is known whole: sent with its beginning and its commit in one round trip (a body takes two more). What must
   * hold for the commit stands among its statements as `demand`s. Where one does not hold, the fence among them, nothing is done and
   * `isUnmet` tells the error.
   */
  async wholeTransaction(statements: readonly RawBuilder<unknown>[]): Promise<StatementResult[]> {
    const before = this.#fence === undefined ? [BEGIN] : [BEGIN, this.#fence.demand];
    const results = await this.#retried(() =>
      this.kysely.connection().execute(async (connection) => {
        try {
          return await together(connection, [...before, ...statements, COMMIT]);
        } catch (error) {
          // Of a connection that is lost nothing is left to undo.
          await ROLLBACK.execute(connection).catch(() => {});
          throw error;
        }
      }),
    );
    return results.slice(before.length, -1);
  }

  async close(): Promise<void> {
    await this.kysely.destroy();
  }

  async #retried<T>(run: () => Promise<T>): Promise<T> {
    const { clock, logger } = this.#components;
    let retriesLeft = DEADLOCK_RETRIES;
    return await retry(
      clock,
      {
        pauseMs: 5,
        maxPauseMs: 200,
        isTransient: (error) => {
          retriesLeft -= isLockTimeout(error) ? COST_OF_LOCK_TIMEOUT : 1;
          return isDeadlock(error) && retriesLeft >= 0;
        },
        onFailure: (_, attempt) => logger.debug({ attempt }, 'transaction is run again after a deadlock'),
      },
      run,
    ).catch((error: unknown) => {
      throw isDeadlock(error) ? busy(error) : error;
    });
  }
}

/**
 * A database with a server that was found fit.
 * @throws CodedError `bad-database-url`, `database-refused`, `database-unfit` (somebody has to act), `database-unavailable`
 */
export async function openDatabase(components: Components, init: DatabaseInit): Promise<Database> {
  const pool = new Pool(components, [init.url].flat().map(parseDatabaseUrl), {
    minConnections: init.minConnections ?? 3,
    maxConnections: init.maxConnections ?? 20,
    idleTimeoutMs: init.idleTimeoutMs ?? 600_000,
    ...(init.onIncomplete && { onIncomplete: init.onIncomplete }),
  });
  const db = new Database(components, { kysely: new Kysely<Schema>({ dialect: new MysqlDialect({ pool }) }) });
  try {
    await sql`SELECT 1`.execute(db.kysely);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

function busy(cause: unknown): CodedError {
  return new CodedError(
    'database-busy',
    'others lock the same rows again and again; is a transaction left open by hand?',
    {
      cause,
    },
  );
}

/**
 * The database's clock in milliseconds since 1970: the one clock that judges leases, so that masters whose own clocks differ
 * agree. Sessions are in UTC (pool.ts).
 */
export const databaseNow = sql<number>`CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)`;
