import { CodedError } from '../errors/coded-error.ts';

/** Where a database is. `socketPath` wins over host and port. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const MYSQL_PORT = 3306;
const FORM = 'mysql://USER:PASSWORD@HOST:PORT/DATABASE';

/**
 * Reads `mysql://user:password@host:port/database`, with `?socketPath=/file` for a Unix socket.
 * @throws CodedError `bad-database-url`; its text never holds the password.
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  if (!URL.canParse(text)) throw bad('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'mysql:' && url.protocol !== 'mariadb:') throw bad(`begins with ${url.protocol}//`);
  const database = decode(url.pathname.slice(1));
  if (database === '') throw bad('names no database');
  const socketPath = url.searchParams.get('socketPath');
  return {
    host: url.hostname === '' ? 'localhost' : url.hostname,
    port: url.port === '' ? MYSQL_PORT : Number(url.port),
    ...(socketPath === null ? {} : { socketPath }),
    user: decode(url.username),
    password: decode(url.password),
    database,
  };
}

/** For people: no user, no password. */
export function formatDatabaseAddress(address: DatabaseAddress): string {
  return `${address.database} at ${address.socketPath ?? `${address.host}:${address.port}`}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw bad('holds a % that is no %XX escape (write a % of the password as %25)');
  }
}

function bad(why: string): CodedError {
  return new CodedError('bad-database-url', `the database url ${why}; write it as ${FORM}`);
}
