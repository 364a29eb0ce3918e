import { sql } from 'kysely';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Executor } from './database.ts';

const DENIED = new Set(['ER_DBACCESS_DENIED_ERROR', 'ER_TABLEACCESS_DENIED_ERROR', 'ER_COLUMNACCESS_DENIED_ERROR']);

/** The driver's error for somebody who may log in, but not do that: `database-forbidden` with the GRANT. Undefined for any other. */
export function forbidden(error: unknown, where: string): CodedError | undefined {
  if (!DENIED.has(errorCode(error) ?? '')) return undefined;
  // Only this one names the account as it was made, and the others the host from which it came.
  const [, account = '', schema = ''] = /for user '(.*)' to database '(.*)'/.exec(errorText(error)) ?? [];
  const advice =
    schema === ''
      ? 'let an administrator GRANT ALL PRIVILEGES ON its schema to it'
      : // Servers say the same of one that is not there.
        `correct its name in the url, or ${toGrant(account, schema)}`;
  return new CodedError('database-forbidden', `database ${where}: ${errorText(error)}; ${advice}`);
}

/** The same error with the statement that an administrator can run. */
export async function withGrant(executor: Executor, error: unknown): Promise<unknown> {
  if (errorCode(error) !== 'database-forbidden') return error;
  const { rows } = await sql<{ account: string; schema: string }>`SELECT CURRENT_USER() AS account,
    DATABASE() AS \`schema\``.execute(executor);
  const [{ account, schema } = { account: '', schema: '' }] = rows;
  const [said] = errorText(error).split('; ');
  return new CodedError('database-forbidden', `${said}; ${toGrant(account.replace(/@(?=[^@]*$)/, "'@'"), schema)}`);
}

/** @param account `user'@'host` */
function toGrant(account: string, schema: string): string {
  return `as an administrator run: GRANT ALL PRIVILEGES ON \`${schema}\`.* TO '${account}';`;
}
