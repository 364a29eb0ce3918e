import { CodedError } from '../errors/coded-error.ts';

/** A full partition of 64 GiB sectors is a body of 0.6 MB, a foreign manager's request 1.7 MB. */
const LEAST_PACKET = 16 * 2 ** 20;

/** Answered by every server from any node, also one that takes no other statement. */
export const SHOW_SERVER = `SHOW SESSION VARIABLES WHERE Variable_name IN
  ('version', 'max_allowed_packet', 'transaction_isolation', 'tx_isolation', 'read_only')`;

/**
 * Judges a server by its variables, as a new session sees them.
 * @throws CodedError `database-unfit` with what to change on the server; `database-unavailable` while it is read-only
 */
export function checkServer(variables: ReadonlyMap<string, string>, where: string): void {
  const version = variables.get('version') ?? '';
  if (!isSupportedVersion(version)) {
    throw unfit(where, `is ${version}; MySQL 8.0 or MariaDB 10.6 is the oldest that works`);
  }
  // MariaDB before 11.1 knows only the second name.
  const isolation = variables.get('transaction_isolation') ?? variables.get('tx_isolation');
  if (isolation !== 'READ-COMMITTED') {
    throw unfit(where, `keeps sessions at ${isolation}; allow READ COMMITTED (a proxy may be in the way)`);
  }
  const packet = Number(variables.get('max_allowed_packet'));
  if (packet < LEAST_PACKET) {
    throw unfit(where, `has max_allowed_packet = ${packet}; set it to ${LEAST_PACKET} or more`);
  }
  // Also for those whom the server would let write: what is written to a replica breaks it.
  if ((variables.get('read_only') ?? 'OFF') !== 'OFF') {
    throw new CodedError('database-unavailable', `database ${where} is read-only`);
  }
}

/** MariaDB says 10.11.6-MariaDB (with a proxy's 5.5.5- before it), MySQL 8.0.36, TiDB 8.0.11-TiDB-v7.5.0. */
export function isSupportedVersion(version: string): boolean {
  const text = version.replace(/^5\.5\.5-/, '');
  const [major = 0, minor = 0] = text.split('.').map((part) => Number.parseInt(part, 10));
  if (!/mariadb/i.test(text)) return major >= 8;
  return major > 10 || (major === 10 && minor >= 6);
}

function unfit(where: string, what: string): CodedError {
  return new CodedError('database-unfit', `the server of database ${where} ${what}`);
}
