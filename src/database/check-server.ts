import { type Kysely, sql } from 'kysely';
import { CodedError } from '../errors/coded-error.ts';
import type { Schema } from './schema.ts';

/** A full partition of 64 GiB sectors is a body of 0.6 MB, sent as hexadecimal text in a statement. */
const LEAST_PACKET = 16 * 2 ** 20;

/** @throws CodedError `database-unfit` with what to change on the server */
export async function checkServer(kysely: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ Variable_name: string; Value: string }>`
    SHOW SESSION VARIABLES WHERE Variable_name IN
      ('version', 'max_allowed_packet', 'transaction_isolation', 'tx_isolation')`.execute(kysely);
  const variables = new Map(rows.map((row) => [row.Variable_name, row.Value]));

  const version = variables.get('version') ?? '';
  if (!isSupportedVersion(version)) {
    throw unfit(`the database server is ${version}; MySQL 8.0 or MariaDB 10.6 is the oldest that works`);
  }
  // MariaDB before 11.1 knows only the second name.
  const isolation = variables.get('transaction_isolation') ?? variables.get('tx_isolation');
  if (isolation !== 'READ-COMMITTED') {
    throw unfit(`the database server keeps sessions at ${isolation}; allow READ COMMITTED (a proxy may be in the way)`);
  }
  const packet = Number(variables.get('max_allowed_packet'));
  if (packet < LEAST_PACKET) {
    throw unfit(`max_allowed_packet of the database server is ${packet}; set it to ${LEAST_PACKET} or more`);
  }
}

/** MariaDB says 10.11.6-MariaDB (with a proxy's 5.5.5- before it), MySQL 8.0.36, TiDB 8.0.11-TiDB-v7.5.0. */
export function isSupportedVersion(version: string): boolean {
  const text = version.replace(/^5\.5\.5-/, '');
  const [major = 0, minor = 0] = text.split('.').map((part) => Number.parseInt(part, 10));
  if (!/mariadb/i.test(text)) return major >= 8;
  return major > 10 || (major === 10 && minor >= 6);
}

function unfit(message: string): CodedError {
  return new CodedError('database-unfit', message);
}
