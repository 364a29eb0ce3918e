import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { recordHeartbeats as now } from '../../src/queue/record-heartbeats.ts';
import { recordHeartbeats as old } from '../../src/queue/zz-old.ts';
import { createTestDatabase } from '../support/database.ts';
test('t', async () => {
  const schema = await createTestDatabase();
  const { kysely } = schema.db;
  const seq = sql`(SELECT seq AS n FROM seq_1_to_1000) AS numbers`;
  await sql`INSERT INTO tasks (id, in_body, created_at, started_at, slave) SELECT MD5(n), REPEAT('x', 100000), 1, 1, CONCAT('s', n) FROM ${seq}`.execute(kysely);
  await sql`INSERT INTO task_details (task_id, miner_id, proof_type, sector_count, queued_at) SELECT MD5(n), 1000, 'p', 1, 1 FROM ${seq}`.execute(kysely);
  await sql`INSERT INTO task_attempts (task_id, attempt, slave, started_at, heartbeat_at, progress_at) SELECT MD5(n), 1, CONCAT('s', n), 1, 1, 1 FROM ${seq}`.execute(kysely);
  const { rows } = await sql<{ id: string; slave: string }>`SELECT task_id AS id, slave FROM task_attempts`.execute(kysely);
  for (const n of [10, 64, 200, 1000]) {
    const beats = rows.slice(0, n).map(({ id, slave }, i) => ({ id, slave, attempt: 1, phase: 'proving' as const, done: i, total: 9 }));
    const took: Record<string, number[]> = { now: [], old: [] };
    for (let k = 0; k < 6; k++) for (const [name, f] of Object.entries({ now, old })) {
      const t = performance.now();
      expect(await f(schema.db, beats)).toEqual([]);
      took[name]?.push(Math.round((performance.now() - t) * 10) / 10);
    }
    console.log(n, JSON.stringify(took));
  }
  await schema.drop();
}, 60_000);
