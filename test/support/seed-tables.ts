import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';

const COLUMNS = `(
    id CHAR(32) PRIMARY KEY NOT NULL,
    in_body LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT DEFAULT NULL,
    finished_at BIGINT DEFAULT NULL,
    retry_count SMALLINT NOT NULL DEFAULT 0,
    error_reason TEXT DEFAULT NULL,
    out_body LONGBLOB DEFAULT NULL,
    slave VARCHAR(100) DEFAULT NULL,
    heartbeat_at BIGINT DEFAULT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci`;

const time = (column: string) => `FROM_UNIXTIME(${column}, '%Y-%m-%d %H:%i:%s') AS ${column}`;

/** What the operators' guide of the system this one replaces has run by hand. */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS tasks ${COLUMNS}`,
  `CREATE TABLE IF NOT EXISTS tasks_archived ${COLUMNS}`,
  `CREATE VIEW tasks_view AS SELECT id, in_body, ${time('created_at')}, ${time('started_at')}, ${time('finished_at')},
    retry_count, error_reason, out_body, slave, ${time('heartbeat_at')} FROM tasks`,
];

export async function makeSeedTables(db: Database): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db.kysely);
}
