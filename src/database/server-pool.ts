import { readFileSync } from 'node:fs';
import { createPool, type Pool, type PoolConnection, type RowDataPacket } from 'mysql2';
import { CodedError } from '../errors/coded-error.ts';
import { checkServer, SHOW_SERVER } from './check-server.ts';
import { databaseError, isDeadlock } from './database-errors.ts';
import { type DatabaseAddress, formatDatabaseAddress } from './database-url.ts';
import { PooledConnection } from './pooled-connection.ts';

export interface PoolInit {
  readonly minConnections: number;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  /** As of a `PooledConnection`. */
  readonly onIncomplete?: () => void;
}

export interface ServerPoolInit extends PoolInit {
  /** No connection of this server is of use now. */
  readonly onGone: () => void;
}

/**
 * READ COMMITTED: under REPEATABLE READ, polling an empty queue locks its gaps and inserts wait 22 ms instead of 2.
 * A server may begin sessions with autocommit off: then a statement outside of a transaction would be seen by nobody else.
 * UTC: UNIX_TIMESTAMP(NOW(3)) jumps back where local time does. Strict: a value that does not fit is an error, never cut.
 * A process that was stopped inside a transaction, or its machine switched off, must not keep its locks: MariaDB ends it after
 * 4 seconds; others do not know that setting, and see a comment.
 */
const SESSION = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  "SET SESSION autocommit = 1, time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 10 /*M!, idle_transaction_timeout = 4 */",
];
/**
 * A Galera node answers only when it belongs to its cluster and, asked so, has applied what the others committed before: coming
 * from another node we must find what we wrote there. Other servers see SELECT 1.
 */
const CAUGHT_UP = '/*M! SET STATEMENT wsrep_sync_wait = 1 FOR */ SELECT 1';
/** Of each connection; a server has 16,382 for all of them. */
const MAX_PREPARED = 64;
const CONNECT_LIMIT_MS = 10_000;

/** Connections to one server that come back by themselves and throw our errors. */
export class ServerPool {
  /** For people. */
  readonly where: string;
  readonly #pool: Pool;
  readonly #init: ServerPoolInit;
  /** Kysely knows a connection by its identity. */
  readonly #fit = new WeakMap<PoolConnection, PooledConnection>();

  /** @throws CodedError `bad-database-url` when the file of certificates cannot be read */
  constructor(address: DatabaseAddress, init: ServerPoolInit) {
    const { socketPath, host, port, user, password, database, tlsCa } = address;
    this.where = formatDatabaseAddress(address);
    this.#init = init;
    this.#pool = createPool({
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      ...(tlsCa === undefined ? {} : { ssl: { ca: readCertificates(tlsCa), verifyIdentity: true } }),
      user,
      password,
      database,
      charset: 'utf8mb4_general_ci',
      supportBigNumbers: true,
      multipleStatements: true, // together.ts
      maxPreparedStatements: MAX_PREPARED,
      connectTimeout: CONNECT_LIMIT_MS,
      connectionLimit: init.maxConnections,
      maxIdle: Math.min(init.minConnections, init.maxConnections),
      idleTimeout: init.idleTimeoutMs,
    });
  }

  /** A connection whose session and server were found fit. */
  async acquire(): Promise<PooledConnection> {
    const raw = await new Promise<PoolConnection>((resolve, reject) => {
      this.#pool.getConnection((error, connection) =>
        error ? reject(databaseError(error, this.where)) : resolve(connection),
      );
    });
    const known = this.#fit.get(raw);
    if (known !== undefined) return known;
    try {
      for (const statement of SESSION) await ask(raw, statement);
      const rows = await ask(raw, SHOW_SERVER);
      checkServer(new Map(rows.map((row) => [row.Variable_name, row.Value])), this.where);
      await this.#catchUp(raw);
    } catch (error) {
      raw.destroy();
      throw databaseError(error, this.where);
    }
    const connection = new PooledConnection(raw, { ...this.#init, where: this.where });
    this.#fit.set(raw, connection);
    return connection;
  }

  async #catchUp(raw: PoolConnection): Promise<void> {
    try {
      await ask(raw, CAUGHT_UP);
    } catch (error) {
      // So a Galera node says that it could not catch up in time.
      if (!isDeadlock(error)) throw error;
      throw new CodedError('database-unavailable', `database ${this.where} is behind the other nodes`, {
        cause: error,
      });
    }
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => this.#pool.end((error) => (error ? reject(error) : resolve())));
  }
}

function ask(raw: PoolConnection, sql: string): Promise<RowDataPacket[]> {
  return new Promise((resolve, reject) => {
    raw.query<RowDataPacket[]>({ sql, timeout: CONNECT_LIMIT_MS }, (error, rows) =>
      error ? reject(error) : resolve(rows),
    );
  });
}

function readCertificates(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CodedError('bad-database-url', `the database url names ssl-ca=${file}, which cannot be read`, {
      cause: error,
    });
  }
}
