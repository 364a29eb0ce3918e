import { CodedError, errorCode } from '../errors/coded-error.ts';
import { forbidden } from './privileges.ts';
import { isOurTable } from './schema.ts';

/** The server is there but will not have us: waiting does not help. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  // MariaDB says it also to those who come without TLS where it is required.
  ['ER_ACCESS_DENIED_ERROR', 'the user or password in the url is not accepted, or ?ssl-ca=/file is missing in it'],
  ['ER_SECURE_TRANSPORT_REQUIRED', 'the server wants TLS; add ?ssl-ca=/file to db.url'],
  ['ER_ACCESS_DENIED_NO_PASSWORD_ERROR', 'the user in the url may not log in; correct db.url'],
  ['ER_BAD_DB_ERROR', 'there is no such database; make it with CREATE DATABASE'],
  ['ER_NOT_SUPPORTED_AUTH_MODE', "the server wants a way to log in that is not supported; change the user's plugin"],
  ['ENOTFOUND', 'the host name in the url is not known; correct db.url'],
  ['HANDSHAKE_NO_SSL_SUPPORT', 'the server has no TLS; set its ssl_cert and ssl_key, or leave ssl-ca out of the url'],
  ['HANDSHAKE_SSL_ERROR', "the server's certificate is not one of ssl-ca for this host name"],
]);

const NO_ANSWER = 'does not answer; is the server running?';
const NO_CONNECTION_LEFT = 'has no connection left for us; raise its max_connections';
const READ_ONLY = 'is read-only';

const UNAVAILABLE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', NO_ANSWER],
  ['ECONNRESET', NO_ANSWER],
  ['EPIPE', NO_ANSWER],
  ['ENOENT', NO_ANSWER], // the socket file of a server that is not running
  ['ETIMEDOUT', NO_ANSWER],
  ['EHOSTUNREACH', NO_ANSWER],
  ['ENETUNREACH', NO_ANSWER],
  ['EAI_AGAIN', NO_ANSWER],
  ['PROTOCOL_CONNECTION_LOST', NO_ANSWER],
  ['PROTOCOL_SEQUENCE_TIMEOUT', NO_ANSWER],
  ['ER_SERVER_SHUTDOWN', NO_ANSWER],
  ['ER_NORMAL_SHUTDOWN', NO_ANSWER],
  ['ER_CON_COUNT_ERROR', NO_CONNECTION_LEFT],
  ['ER_TOO_MANY_USER_CONNECTIONS', NO_CONNECTION_LEFT],
  ['ER_USER_LIMIT_REACHED', NO_CONNECTION_LEFT],
  ['ER_OPTION_PREVENTS_STATEMENT', READ_ONLY],
  ['ER_READ_ONLY_MODE', READ_ONLY],
  ['ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', READ_ONLY],
  ['ER_QUERY_INTERRUPTED', 'had the statement ended by somebody (KILL, or a time limit of the server)'],
]);
/** Errors whose numbers the driver has no name for. */
const UNAVAILABLE_NUMBERS: ReadonlyMap<number, string> = new Map([
  [1047, 'is not ready (a Galera node that is apart from its cluster)'],
  [1927, NO_ANSWER], // MariaDB: the connection was killed
]);
/** A server that says this, or nothing at all, says it on its other connections too. */
const GONE = new Set([
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
]);

const FULL = new Set(['ER_RECORD_FILE_FULL', 'ER_DISK_FULL']);
/** Storage engine errors carry the number of the system's: 28 is ENOSPC. */
const NO_SPACE = /\b(?:error|errno):? 28\b/i;

const NO_SUCH_TABLE = 'ER_NO_SUCH_TABLE';
const INCOMPLETE = new Set([NO_SUCH_TABLE, 'ER_BAD_FIELD_ERROR', 'database-incomplete']);
/** 'schema.table' in it, in whichever language the server speaks. */
const NAMED_TABLE = /[.]([^.'`"«»“”„\s]+)['`"»”“]/;

const DEADLOCKS = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT']);

/** 1213 (Galera says it at commit, too) and 1205: the whole transaction may be run again. */
export function isDeadlock(error: unknown): boolean {
  return DEADLOCKS.has(errorCode(error) ?? '');
}

export function isLockTimeout(error: unknown): boolean {
  return errorCode(error) === 'ER_LOCK_WAIT_TIMEOUT';
}

/**
 * A table or a column of ours is not there: the schema is new, was emptied, or restored from a dump of an older version. One that
 * somebody's trigger wants is no loss of ours.
 */
export function isIncompleteSchema(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  if (code !== NO_SUCH_TABLE || !(error instanceof Error)) return INCOMPLETE.has(code);
  const name = NAMED_TABLE.exec(error.message)?.[1];
  return name === undefined || isOurTable(name);
}

/** The server would not do this with these rows, by what they hold or what hangs on their table: with others it may. */
export function isRowTrouble(error: unknown): boolean {
  return !(error instanceof CodedError) && !isDeadlock(error) && errorNumber(error) > 0;
}

/** Whether all connections of the server that threw it are of no use now. */
export function isServerGone(error: unknown): boolean {
  return GONE.has(errorCode(error) ?? '') || errorNumber(error) === 1047;
}

/** Whether the driver gave the connection up. */
export function isConnectionLost(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'fatal' in error && error.fatal === true;
}

/**
 * What the driver threw, told apart: `database-unavailable` and `database-full` (try again), `database-refused` and
 * `database-forbidden` (somebody has to act); every other error as it is. `where` names the database.
 */
export function databaseError(error: unknown, where: string): unknown {
  const code = errorCode(error) ?? '';
  const number = errorNumber(error);
  if (error instanceof CodedError || isDeadlock(error)) return error;
  const told = (ours: string, what: string) => new CodedError(ours, `database ${where} ${what}`, { cause: error });

  if (isIncompleteSchema(error)) {
    return told('database-incomplete', 'lacks tables or columns of this version; start its master or manager once');
  }
  const denied = forbidden(error, where);
  if (denied !== undefined) return denied;
  const refusal = REFUSALS.get(code);
  if (refusal !== undefined)
    return new CodedError('database-refused', `database ${where}: ${refusal}`, { cause: error });
  if (FULL.has(code) || (error instanceof Error && NO_SPACE.test(error.message))) {
    return told('database-full', 'has no space left; free some on its disk');
  }
  const unavailable = UNAVAILABLE.get(code) ?? UNAVAILABLE_NUMBERS.get(number);
  if (unavailable !== undefined) return told('database-unavailable', unavailable);
  return isConnectionLost(error) ? told('database-unavailable', NO_ANSWER) : error;
}

/**
 * Whether an operation failed for the state of the database, not for what was asked: it may be asked again, and what others have
 * not written meanwhile does not mean that they are silent.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  return errorCode(error)?.startsWith('database-') ?? false;
}

function errorNumber(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return 0;
  return typeof error.errno === 'number' ? error.errno : 0;
}
