import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';

/** What others than the guide's readers may have chosen. */
export interface SeedChoices {
  readonly collation?: string;
  readonly id?: string;
}

const columns = ({ collation = 'utf8mb4_general_ci', id = 'CHAR(32)' }: SeedChoices) => `(
    id ${id} PRIMARY KEY NOT NULL,
    in_body LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT DEFAULT NULL,
    finished_at BIGINT DEFAULT NULL,
    retry_count SMALLINT NOT NULL DEFAULT 0,
    error_reason TEXT DEFAULT NULL,
    out_body LONGBLOB DEFAULT NULL,
    slave VARCHAR(100) DEFAULT NULL,
    heartbeat_at BIGINT DEFAULT NULL
) ENGINE = InnoDB COLLATE = ${collation}`;

const time = (column: string) => `FROM_UNIXTIME(${column}, '%Y-%m-%d %H:%i:%s') AS ${column}`;

/** What the operators' guide of the system this one replaces has run by hand. */
const statements = (choices: SeedChoices) => [
  `CREATE TABLE IF NOT EXISTS tasks ${columns(choices)}`,
  `CREATE TABLE IF NOT EXISTS tasks_archived ${columns(choices)}`,
  `CREATE VIEW tasks_view AS SELECT id, in_body, ${time('created_at')}, ${time('started_at')}, ${time('finished_at')},
    retry_count, error_reason, out_body, slave, ${time('heartbeat_at')} FROM tasks`,
];

export async function makeSeedTables(db: Database, choices: SeedChoices = {}): Promise<void> {
  for (const statement of statements(choices)) await sql.raw(statement).execute(db.kysely);
}
