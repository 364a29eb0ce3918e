import mysql from 'mysql2/promise';
import type { Servers } from './servers.ts';
import { until } from './stage.ts';
import { HISTORY_SCHEMA } from './systems/wdpost.ts';

export async function connectMariadb(servers: Servers, database?: string): Promise<mysql.Connection> {
  const socketPath = await servers.socket('mariadb');
  return await mysql.createConnection({ socketPath, user: 'root', ...(database === undefined ? {} : { database }) });
}

/** A number of SHOW GLOBAL STATUS. */
export async function status(connection: mysql.Connection, name: string): Promise<number> {
  const [[row]] = await connection.query<mysql.RowDataPacket[]>('SHOW GLOBAL STATUS LIKE ?', [name]);
  return Number(row?.Value);
}

const TASKS = 1_000_000;
const DAY_S = 86_400;

/** A million archived tasks of the last four weeks, with their details and attempts; bodies are small, for nothing reads them. */
export async function fillHistory(connection: mysql.Connection): Promise<void> {
  const id = "MD5(CONCAT('history ', seq))";
  const at = `UNIX_TIMESTAMP() - ${3 * DAY_S} - seq * 2`;
  const all = `FROM seq_1_to_${TASKS}`;
  await connection.query(`USE ${HISTORY_SCHEMA}`);
  await connection.query(
    `INSERT INTO tasks_archived (id, in_body, created_at, started_at, finished_at, out_body, slave, heartbeat_at)
     SELECT ${id}, '{}', ${at}, ${at}, ${at}, '{}', 'slave-1', ${at} ${all}`,
  );
  await connection.query(
    `INSERT INTO task_details (task_id, miner_id, proof_type, sector_count, close_at, queued_at, last_attempt)
     SELECT ${id}, 1000, 'StackedDrgWindow32GiBV1_2', 2349, (${at}) * 1000, (${at}) * 1000, 1 ${all}`,
  );
  await connection.query(
    `INSERT INTO task_attempts (task_id, attempt, slave, phase, started_at, heartbeat_at, progress_at, ended_at, outcome)
     SELECT ${id}, 1, 'slave-1', 'proving', (${at}) * 1000, (${at}) * 1000, (${at}) * 1000, (${at}) * 1000, 'proven' ${all}`,
  );
  // What the filling left to be written must not be charged to what is measured next.
  await connection.query('SET GLOBAL innodb_io_capacity_max = 40000');
  await connection.query('SET GLOBAL innodb_io_capacity = 20000');
  await connection.query('SET GLOBAL innodb_max_dirty_pages_pct = 0');
  await until(
    'the history to be on disk',
    async () => (await status(connection, 'Innodb_buffer_pool_pages_dirty')) < 200,
  );
  for (const name of ['max_dirty_pages_pct', 'io_capacity', 'io_capacity_max']) {
    await connection.query(`SET GLOBAL innodb_${name} = DEFAULT`);
  }
}
