import { sql } from 'kysely';
import { type Database, databaseNow, type Fence } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';

/** A process of a master. */
export interface MasterProcess {
  readonly name: string;
  /** `host:port` */
  readonly address: string;
  /** Milliseconds of the database's clock. */
  readonly startedAt: number;
}

export interface LeadershipView {
  readonly epoch: number;
  /** Empty: nobody ever led. */
  readonly master: string;
  readonly address: string | null;
  /** Milliseconds since the leader wrote that it lives; null: it has resigned, or never was. */
  readonly silentMs: number | null;
  /** Of the youngest process that has our name. */
  readonly startedAt: number;
  readonly othersLive: boolean;
}

const LIVE_MS = 6_000;

/**
 * Writes that a master lives, and reads who leads. Two statements. Of two processes with the same name only the younger one
 * counts as living, so that the other takes over when it ends.
 */
export async function lookAtLeadership(
  db: Database,
  ours: Omit<MasterProcess, 'startedAt'> & { /** undefined: since now. */ readonly startedAt: number | undefined },
): Promise<LeadershipView> {
  const { name, address } = ours;
  const startedAt = ours.startedAt === undefined ? databaseNow : sql<number>`${ours.startedAt}`;
  // started_at comes last: assignments see the values of those before them.
  await db.kysely
    .insertInto('masters')
    .values({ name, address, started_at: startedAt, seen_at: databaseNow })
    .onDuplicateKeyUpdate({
      address: sql<string>`IF(started_at > ${startedAt}, address, ${address})`,
      seen_at: sql<number>`IF(started_at > ${startedAt}, seen_at, ${databaseNow})`,
      started_at: sql<number>`GREATEST(started_at, ${startedAt})`,
    })
    .execute();
  const row = await db.kysely
    .selectFrom('leadership')
    .innerJoin('masters as own', (join) => join.on('own.name', '=', name))
    .leftJoin('masters as leader', 'leader.name', 'leadership.master')
    .select(['epoch', 'master', 'leader.address', 'leader.seen_at', 'own.started_at', databaseNow.as('now')])
    .select((select) =>
      select
        .selectFrom('masters as other')
        .select(({ fn }) => fn.countAll<number>().as('live'))
        .where('other.name', '!=', name)
        .where('other.seen_at', '>', sql<number>`${databaseNow} - ${LIVE_MS}`)
        .as('others'),
    )
    .where('leadership.id', '=', 1)
    .executeTakeFirstOrThrow();
  return {
    epoch: row.epoch,
    master: row.master,
    address: row.address,
    silentMs: row.seen_at === null || row.seen_at === 0 ? null : row.now - row.seen_at,
    startedAt: row.started_at,
    othersLive: Number(row.others) > 0,
  };
}

/** False when somebody was faster. */
export async function takeLead(
  db: Database,
  ours: MasterProcess & { readonly epoch: number },
  epochSeen: number,
): Promise<boolean> {
  const { name, address, startedAt, epoch } = ours;
  return await db.transaction(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('leadership')
      .set({ epoch, master: name, taken_at: databaseNow })
      .where('id', '=', 1)
      .where('epoch', '=', epochSeen)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await trx
      .updateTable('masters')
      .set({ address, started_at: startedAt, seen_at: databaseNow })
      .where('name', '=', name)
      .execute();
    return true;
  });
}

export async function resign(db: Database, ours: Pick<MasterProcess, 'name' | 'startedAt'>): Promise<void> {
  await db.kysely
    .updateTable('masters')
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
export function fenceOf(ours: { readonly epoch: number; readonly name: string }): Fence {
  return {
    statement: sql`SELECT epoch, master FROM leadership WHERE id = 1 LOCK IN SHARE MODE`,
    judge(rows) {
      const [row] = rows as { readonly epoch: number; readonly master: string }[];
      if (row?.epoch === ours.epoch && row.master === ours.name) return;
      throw new CodedError('not-leading', 'another master leads now');
    },
  };
}
