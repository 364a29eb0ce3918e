import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { AttemptId } from '../rpc/methods.ts';
import { groupBy } from './group-by.ts';
import { nowMs } from './sql-time.ts';

/** A slave that says hello. */
export interface JoiningSlave {
  readonly name: string;
  /** `address:port` of its side. */
  readonly remote: string;
  readonly version: number;
  readonly slots: number;
  /** In bytes; null: any. */
  readonly sectorSize: number | null;
}

/** What the tables know of it. */
export interface JoinedSlave {
  /** An operator took it out of service. */
  readonly drained: boolean;
  /** It gets nothing before; milliseconds by the database's clock. */
  readonly heldUntil: number;
  /** Its leases. */
  readonly live: readonly AttemptId[];
}

interface Lease extends AttemptId {
  readonly slave: string;
}

/** Writes rows for slaves that come, any number at once, and reads what outlived their absence. */
export async function joinSlaves(db: Database, slaves: readonly JoiningSlave[]): Promise<JoinedSlave[]> {
  const sorted = slaves.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = sql.join(sorted.map(({ name }) => name));
  const rows = sorted.map(
    ({ name, remote, version, slots, sectorSize }) =>
      sql`(${name}, ${remote}, ${version}, ${slots}, ${sectorSize}, ${nowMs}, NULL)`,
  );
  const [, states, leases] = await db.transactionFrom(
    [
      sql`INSERT INTO slaves (name, remote, version, slots, sector_size, joined_at, left_at) VALUES ${sql.join(rows)}
        ON DUPLICATE KEY UPDATE remote = VALUES(remote), version = VALUES(version), slots = VALUES(slots),
          sector_size = VALUES(sector_size), joined_at = VALUES(joined_at), left_at = NULL`,
      sql`SELECT name, drained, held_until FROM slaves WHERE name IN (${names})`,
      sql`SELECT task_id AS id, attempt, slave FROM task_attempts WHERE ended_at IS NULL AND slave IN (${names})`,
    ],
    async (_, results) => results,
  );
  const known = new Map(((states?.rows ?? []) as StateRow[]).map((row) => [row.name, row]));
  const live = groupBy((leases?.rows ?? []) as Lease[], ({ slave }) => slave);
  return slaves.map(({ name }) => ({
    drained: known.get(name)?.drained === 1,
    heldUntil: known.get(name)?.held_until ?? 0,
    live: (live.get(name) ?? []).map(({ id, attempt }) => ({ id, attempt })),
  }));
}

interface StateRow {
  readonly name: string;
  readonly drained: number;
  readonly held_until: number;
}
