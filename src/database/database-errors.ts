import { CodedError, errorCode } from '../errors/coded-error.ts';
import { type DatabaseAddress, formatDatabaseAddress } from './database-url.ts';

/** The server is there but will not have us: waiting does not help. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['ER_ACCESS_DENIED_ERROR', 'the user or password in the url is not accepted; correct db.url'],
  ['ER_ACCESS_DENIED_NO_PASSWORD_ERROR', 'the user in the url may not log in; correct db.url'],
  ['ER_DBACCESS_DENIED_ERROR', 'the user has no rights on this database; GRANT ALL ON it'],
  ['ER_BAD_DB_ERROR', 'there is no such database; make it with CREATE DATABASE'],
  ['ER_NOT_SUPPORTED_AUTH_MODE', "the server wants a way to log in that is not supported; change the user's plugin"],
  ['ENOTFOUND', 'the host name in the url is not known; correct db.url'],
]);

const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT', // the socket file of a server that is not running
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_QUERY_INTERRUPTED',
  'ER_OPTION_PREVENTS_STATEMENT', // read-only while another server takes over
]);
/** Galera's "has not yet prepared node for application use" and MariaDB's "connection was killed" carry no name of their own. */
const UNAVAILABLE_NUMBERS = new Set([1047, 1927]);

const DEADLOCKS = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT']);

/** 1213 (Galera says it at commit, too) and 1205: the whole transaction may be run again. */
export function isDeadlock(error: unknown): boolean {
  return DEADLOCKS.has(errorCode(error) ?? '');
}

/**
 * What the driver threw, told apart: `database-unavailable` (try again), `database-refused` (somebody has to act);
 * every other error as it is.
 */
export function databaseError(error: unknown, address: DatabaseAddress): unknown {
  const code = errorCode(error) ?? '';
  const where = formatDatabaseAddress(address);
  const refusal = REFUSALS.get(code);
  if (refusal !== undefined)
    return new CodedError('database-refused', `database ${where}: ${refusal}`, { cause: error });
  if (isDeadlock(error)) return error;
  if (UNAVAILABLE.has(code) || isLost(error)) {
    return new CodedError('database-unavailable', `database ${where} does not answer; is the server running?`, {
      cause: error,
    });
  }
  return error;
}

function isLost(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('fatal' in error && error.fatal === true) return true;
  return 'errno' in error && typeof error.errno === 'number' && UNAVAILABLE_NUMBERS.has(error.errno);
}
