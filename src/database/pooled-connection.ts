import type { MysqlPoolConnection, MysqlQueryResult, MysqlStream, MysqlStreamOptions } from 'kysely';
import type { PoolConnection } from 'mysql2';
import { CodedError, errorCode } from '../errors/coded-error.ts';
import { databaseError } from './database-errors.ts';
import type { DatabaseAddress } from './database-url.ts';

/** A server that stopped, or a network that swallows packets, must not hold a caller for ever. */
const STATEMENT_LIMIT_MS = 60_000;

type Streaming = { stream: <T>(options: MysqlStreamOptions) => MysqlStream<T> };
type Done = (error: unknown, result: MysqlQueryResult) => void;

/** A connection of the driver's as kysely uses it, with a limit for each statement and with our errors. */
export class PooledConnection implements MysqlPoolConnection {
  readonly #raw: PoolConnection;
  readonly #address: DatabaseAddress;

  constructor(raw: PoolConnection, address: DatabaseAddress) {
    this.#raw = raw;
    this.#address = address;
  }

  query(sql: string, parameters: unknown[]): Streaming;
  query(sql: string, parameters: unknown[], done: Done): void;
  query(sql: string, values: unknown[], done?: Done): Streaming | undefined {
    if (done === undefined) throw new CodedError('not-supported', 'results are not read as streams');
    this.#raw.query<never>({ sql, values, timeout: STATEMENT_LIMIT_MS }, (error, result) => {
      // The answer may still come: nobody else may have this connection.
      if (errorCode(error) === 'PROTOCOL_SEQUENCE_TIMEOUT') this.#raw.destroy();
      done(error ? databaseError(error, this.#address) : null, result);
    });
    return undefined;
  }

  release(): void {
    this.#raw.release();
  }
}
