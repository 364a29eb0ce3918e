import type { MysqlPoolConnection, MysqlQueryResult, MysqlStream, MysqlStreamOptions } from 'kysely';
import type { PoolConnection } from 'mysql2';
import { CodedError } from '../errors/coded-error.ts';
import { databaseError, isConnectionLost, isIncompleteSchema, isServerGone } from './database-errors.ts';

/** A server that stopped, or a network that swallows packets, must not hold a caller for ever. A lock is waited for 10 s. */
const STATEMENT_LIMIT_MS = 30_000;

/**
 * Bytes go into a text statement as twice as many hexadecimal digits; a prepared statement carries them as they are, and costs round
 * trips. Of a body of seventy sectors the digits cost less.
 */
const LONGEST_TEXT_VALUE = 16_384;

/** As kysely sends them. */
const BEGIN = 'begin';
const ROLLBACK = 'rollback';
const NOTHING: MysqlQueryResult = [];

type Streaming = { stream: <T>(options: MysqlStreamOptions) => MysqlStream<T> };
type Done = (error: unknown, result: MysqlQueryResult) => void;

export interface PooledConnectionInit {
  /** Names the database. */
  readonly where: string;
  /** No connection of this server is of use now. */
  readonly onGone: () => void;
  /** Tables or columns are missing. They may be made, so the statement fails with `database-unavailable` where this is given. */
  readonly onIncomplete?: () => void;
}

/** A connection of the driver's as kysely uses it, with a limit for each statement and with our errors. */
export class PooledConnection implements MysqlPoolConnection {
  readonly #raw: PoolConnection;
  readonly #init: PooledConnectionInit;
  #isBeginning = false;
  /** What ended the connection; a ROLLBACK that follows is told the same. */
  #lost: unknown;

  constructor(raw: PoolConnection, init: PooledConnectionInit) {
    this.#raw = raw;
    this.#init = init;
  }

  query(sql: string, parameters: unknown[]): Streaming;
  query(sql: string, parameters: unknown[], done: Done): void;
  query(sql: string, values: unknown[], done?: Done): Streaming | undefined {
    if (done === undefined) throw new CodedError('not-supported', 'results are not read as streams');
    if (this.#lost !== undefined) (done as (error: unknown) => void)(this.#lost);
    else if (sql === BEGIN) this.#isBeginning = true;
    else if (this.#isBeginning) this.#queryFirst(sql, values, done);
    else this.#send(sql, values, done);
    if (sql === BEGIN && this.#isBeginning) done(null, NOTHING);
    return undefined;
  }

  release(): void {
    this.#isBeginning = false;
    this.#raw.release();
  }

  /** A transaction begins with its first statement, which saves a round trip; one that has none never begins. */
  #queryFirst(sql: string, values: unknown[], done: Done): void {
    this.#isBeginning = false;
    if (sql === 'commit' || sql === 'rollback') done(null, NOTHING);
    else if (values.some(isBody)) {
      this.#send(BEGIN, [], (error, result) => (error ? done(error, result) : this.#send(sql, values, done)));
    } else {
      this.#send(`${BEGIN};\n${sql}`, values, (error, result) => done(error, error ? result : withoutFirst(result)));
    }
  }

  #send(sql: string, values: unknown[], done: Done): void {
    const statement = { sql, values, timeout: STATEMENT_LIMIT_MS };
    const answer = (error: unknown, result: MysqlQueryResult) => done(error ? this.#told(error, sql) : null, result);
    if (values.some(isBody)) this.#raw.execute<never>(statement, answer);
    else this.#raw.query<never>(statement, answer);
  }

  #told(error: unknown, sql: string): unknown {
    const { where, onGone, onIncomplete } = this.#init;
    if (isIncompleteSchema(error) && onIncomplete !== undefined) {
      onIncomplete();
      const text = `database ${where} has lost tables; they are made again`;
      return new CodedError('database-unavailable', text, { cause: error });
    }
    const told = databaseError(error, where);
    const isGone = isServerGone(error);
    // The answer to a statement may still come, or half a transaction be there: nobody else may have this connection.
    if (isGone || isConnectionLost(error) || sql === ROLLBACK) {
      this.#lost = told;
      this.#raw.destroy();
    }
    if (isGone) onGone();
    return told;
  }
}

/** Such a value makes its statement a prepared one, which can only be one alone. */
export function isBody(value: unknown): boolean {
  return Buffer.isBuffer(value) && value.length > LONGEST_TEXT_VALUE;
}

/** The results of several statements, of which the first was ours. */
function withoutFirst(result: MysqlQueryResult): MysqlQueryResult {
  const [, ...rest] = result as unknown as MysqlQueryResult[];
  const [only] = rest;
  return only !== undefined && rest.length === 1 ? only : (rest as unknown as MysqlQueryResult);
}
