import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Database, databaseNow, type Fence } from '../database/database.ts';
import { demand } from '../database/together.ts';
import { CodedError } from '../errors/coded-error.ts';

/** Whose lead it is: of each role one process leads. */
export type Role = keyof typeof roles;

/** Row of `leadership`, and the table of the processes. */
const roles = {
  master: { id: 1, table: 'masters' },
  manager: { id: 2, table: 'managers' },
} as const;

export interface LeadingProcess {
  readonly role: Role;
  readonly name: string;
  /** `host:port` */
  readonly address: string;
  /** Milliseconds of the database's clock. */
  readonly startedAt: number;
}

export interface LeadershipView {
  readonly epoch: number;
  /** Empty: nobody ever led. */
  readonly leader: string;
  readonly address: string | null;
  /** When the leader last wrote that it lives, by the database's clock; null: it has resigned, or never was. */
  readonly seenAt: number | null;
  /** The database's clock, which may have been set since then. */
  readonly now: number;
  /** Of the youngest process that has our name. */
  readonly startedAt: number;
  readonly othersLive: boolean;
}

/** One that wrote no longer ago than this lives. */
const LIVE_MS = 6_000;

/** What was written before the database's clock was set back lies ahead of it, and says nothing: who lives writes again. */
export function writtenLately(seenAt: string): RawBuilder<SqlBool> {
  const at = sql.ref(seenAt);
  return sql<SqlBool>`${at} > ${databaseNow} - ${LIVE_MS} AND ${at} < ${databaseNow} + ${LIVE_MS}`;
}

/**
 * Writes that a process lives, and reads who leads. Two statements. Of two processes with the same name only the younger one
 * counts as living, so that the other takes over when it ends.
 */
export async function lookAtLeadership(
  db: Database,
  ours: Omit<LeadingProcess, 'startedAt'> & { /** undefined: since now. */ readonly startedAt: number | undefined },
): Promise<LeadershipView> {
  const { name, address } = ours;
  const { id, table } = roles[ours.role];
  const startedAt = ours.startedAt === undefined ? databaseNow : sql<number>`${ours.startedAt}`;
  // started_at comes last: assignments see the values of those before them.
  await db.kysely
    .insertInto(table)
    .values({ name, address, started_at: startedAt, seen_at: databaseNow })
    .onDuplicateKeyUpdate({
      address: sql<string>`IF(started_at > ${startedAt}, address, ${address})`,
      seen_at: sql<number>`IF(started_at > ${startedAt}, seen_at, ${databaseNow})`,
      started_at: sql<number>`GREATEST(started_at, ${startedAt})`,
    })
    .execute();
  const row = await db.kysely
    .selectFrom('leadership')
    .innerJoin(`${table} as own`, (join) => join.on('own.name', '=', name))
    .leftJoin(`${table} as leader`, 'leader.name', 'leadership.master')
    .select(['epoch', 'master', 'leader.address', 'leader.seen_at', 'own.started_at', databaseNow.as('now')])
    .select((select) =>
      select
        .selectFrom(`${table} as other`)
        .select(({ fn }) => fn.countAll<number>().as('live'))
        .where('other.name', '!=', name)
        .where(writtenLately('other.seen_at'))
        .as('others'),
    )
    .where('leadership.id', '=', id)
    .executeTakeFirstOrThrow();
  return {
    epoch: row.epoch,
    leader: row.master,
    address: row.address,
    seenAt: row.seen_at === 0 ? null : row.seen_at,
    now: row.now,
    startedAt: row.started_at,
    othersLive: Number(row.others) > 0,
  };
}

/** False when somebody was faster. */
export async function takeLead(
  db: Database,
  ours: LeadingProcess & { readonly epoch: number },
  epochSeen: number,
): Promise<boolean> {
  const { name, address, startedAt, epoch } = ours;
  const { id, table } = roles[ours.role];
  return await db.transaction(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('leadership')
      .set({ epoch, master: name, taken_at: databaseNow })
      .where('id', '=', id)
      .where('epoch', '=', epochSeen)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await trx
      .updateTable(table)
      .set({ address, started_at: startedAt, seen_at: databaseNow })
      .where('name', '=', name)
      .execute();
    return true;
  });
}

export async function resign(db: Database, ours: Pick<LeadingProcess, 'role' | 'name' | 'startedAt'>): Promise<void> {
  await db.kysely
    .updateTable(roles[ours.role].table)
    .set({ seen_at: 0 })
    .where('name', '=', ours.name)
    .where('started_at', '=', ours.startedAt)
    .execute();
}

/**
 * The fence of a leader's transactions. Shared among them and held to their end, so that the lead cannot change below one. In a
 * Galera cluster locks are each node's own: there a replaced leader on another node may still commit what it had begun, and only
 * the attempts decide what of it counts.
 * @throws CodedError `not-leading`
 */
export function fenceOf(
  ours: { readonly role: Role; readonly epoch: number; readonly name: string },
  onReplaced: () => void,
): Fence {
  const row = sql`FROM leadership WHERE id = ${sql.lit(roles[ours.role].id)}`;
  const isOurs = sql`epoch = ${ours.epoch} AND master = ${ours.name}`;
  return {
    statement: sql`SELECT epoch, master ${row} LOCK IN SHARE MODE`,
    demand: demand(sql<SqlBool>`COUNT(*) = 1`, sql`${row} AND ${isOurs} LOCK IN SHARE MODE`),
    judge(rows) {
      const [row] = rows as { readonly epoch: number; readonly master: string }[];
      if (row?.epoch === ours.epoch && row.master === ours.name) return;
      onReplaced();
      throw new CodedError('not-leading', `another ${ours.role} leads now`);
    },
  };
}
