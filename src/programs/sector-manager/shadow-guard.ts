import { hostname } from 'node:os';
import type { Database } from '../../database/database.ts';
import { CodedError } from '../../errors/coded-error.ts';

const MARK = ' (shadow)';

/** What other managers are told of this one. */
export function managerAddress(shadow: boolean): string {
  return hostname() + (shadow ? MARK : '');
}

/**
 * One database serves managers that post or managers that only show what they would do, never both: one would stand by for the other.
 * @throws CodedError `shadow-leads`, `shadow-database`
 */
export async function refuseMixture(
  db: Pick<Database, 'kysely'>,
  { shadow, leader }: { readonly shadow: boolean; readonly leader: string | undefined },
): Promise<void> {
  const shadowLeads = leader?.endsWith(MARK) ?? false;
  if (!shadow && shadowLeads) {
    throw new CodedError('shadow-leads', `a manager with --shadow uses this database (${leader}): stop it first`);
  }
  if (!shadow) return;
  const underWay = await db.kysely
    .selectFrom('messages')
    .select('id')
    .where('state', 'in', ['handing', 'signed', 'pushed'])
    .limit(1)
    .executeTakeFirst();
  if (underWay === undefined && (leader === undefined || shadowLeads)) return;
  throw new CodedError(
    'shadow-database',
    'this database belongs to a manager that posts: give --shadow one of its own (another --home, or [Common.Cluster] Database)',
  );
}
