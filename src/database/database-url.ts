import { CodedError } from '../errors/coded-error.ts';

/** Where a database is. `socketPath` wins over host and port. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** File with certificates: the connection is TLS, and the server's certificate must come from them and bear `host`. */
  readonly tlsCa?: string;
}

const MYSQL_PORT = 3306;
const FORM = 'mysql://USER:PASSWORD@HOST:PORT/DATABASE';

/**
 * Reads `mysql://user:password@host:port/database`, with `?socketPath=/file` for a Unix socket, `?ssl-ca=/file` for TLS.
 * @throws CodedError `bad-database-url`; its text never holds the password.
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  if (!URL.canParse(text)) throw bad('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'mysql:' && url.protocol !== 'mariadb:') throw bad(`begins with ${url.protocol}//`);
  const database = decode(url.pathname.slice(1));
  if (database === '') throw bad('names no database');
  // Somebody who asks for TLS must not go without it.
  for (const name of url.searchParams.keys()) {
    if (/^(ssl|tls)/i.test(name) && name !== 'ssl-ca') throw bad(`has the parameter ${name}; TLS is ?ssl-ca=/file`);
  }
  const socketPath = url.searchParams.get('socketPath');
  const tlsCa = url.searchParams.get('ssl-ca');
  return {
    host: url.hostname === '' ? 'localhost' : url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? MYSQL_PORT : Number(url.port),
    ...(socketPath === null ? {} : { socketPath }),
    user: decode(url.username),
    password: decode(url.password),
    database,
    ...(tlsCa === null ? {} : { tlsCa }),
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
