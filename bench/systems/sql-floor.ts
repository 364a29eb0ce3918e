import mysql from 'mysql2/promise';
import { systemClock } from '../../src/clock/system-clock.ts';
import { CONCURRENCY, type System } from './system.ts';

const POLL_MS = 1;
const CLAIM = 16;
const WAITING = 0;
const RUNNING = 1;
const DONE = 2;

/** Bare queries, no retries, leases or remote workers: what a queue in this database could reach at best. */
export const sqlFloor: System = {
  name: 'sql-floor',
  about: 'bare mysql2 queries on MariaDB with innodb_flush_log_at_trx_commit=1, 16 tasks a claim',
  server: 'mariadb',
  async prepare(servers) {
    const place = await servers.socket('mariadb');
    const connection = await mysql.createConnection({ socketPath: place, user: 'root', multipleStatements: true });
    await connection.query(`
      DROP DATABASE IF EXISTS sql_floor; CREATE DATABASE sql_floor; USE sql_floor;
      CREATE TABLE job (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, state TINYINT NOT NULL, attempt INT NOT NULL, result BINARY(32),
        KEY waiting (state, id));
      CREATE TABLE body (id INT UNSIGNED PRIMARY KEY, body LONGBLOB NOT NULL);`);
    await connection.end();
    return place;
  },
  async producer(place) {
    const pool = poolOf(place);
    return {
      async enqueue(task) {
        const connection = await pool.getConnection();
        await connection.beginTransaction();
        const [added] = await connection.execute<mysql.ResultSetHeader>(
          'INSERT INTO job (state, attempt) VALUES (?, 0)',
          [WAITING],
        );
        await connection.execute('INSERT INTO body VALUES (?, ?)', [added.insertId, Buffer.from(JSON.stringify(task))]);
        await connection.commit();
        connection.release();
      },
      close: () => pool.end(),
    };
  },
  async consumer(place, hooks) {
    const pool = poolOf(place);
    let open = true;
    async function claim(): Promise<{ id: number; attempt: number }[]> {
      const connection = await pool.getConnection();
      await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
      await connection.beginTransaction();
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        `SELECT id, attempt + 1 AS attempt FROM job WHERE state = ${WAITING} ORDER BY id LIMIT ${CLAIM} FOR UPDATE SKIP LOCKED`,
      );
      if (rows.length > 0) {
        await connection.query('UPDATE job SET state = ?, attempt = attempt + 1 WHERE id IN (?)', [
          RUNNING,
          rows.map(({ id }) => id),
        ]);
      }
      await connection.commit();
      connection.release();
      return rows.map(({ id, attempt }) => ({ id, attempt }));
    }
    async function work({ id, attempt }: { id: number; attempt: number }): Promise<void> {
      const [[row]] = await pool.execute<mysql.RowDataPacket[]>('SELECT body FROM body WHERE id = ?', [id]);
      const result = hooks.handle(row?.body.toString());
      await pool.execute('UPDATE job SET state = ?, result = ? WHERE id = ? AND attempt = ? AND state = ?', [
        DONE,
        result,
        id,
        attempt,
        RUNNING,
      ]);
      hooks.finished();
    }
    async function poll(): Promise<void> {
      while (open) {
        const claimed = await claim();
        if (claimed.length === 0) await systemClock.sleep(POLL_MS);
        const lanes = Array.from({ length: CONCURRENCY }, async () => {
          for (let task = claimed.pop(); task !== undefined; task = claimed.pop()) await work(task);
        });
        await Promise.all(lanes);
      }
    }
    const polling = poll();
    return {
      async close() {
        open = false;
        await polling;
        await pool.end();
      },
    };
  },
};

function poolOf(socketPath: string): mysql.Pool {
  return mysql.createPool({ socketPath, user: 'root', database: 'sql_floor', connectionLimit: 2 * CONCURRENCY });
}
