import { pause } from './pause.ts';
import type { World } from './world.ts';

/** What was final, and was written again. */
export interface Rewrite {
  readonly work: string;
  readonly what: string;
}

const TABLES_LIMIT_MS = 30_000;
const LOOK_AGAIN_MS = 50;

/**
 * Triggers of ours write down what rows alone do not show afterwards: an attempt that had ended, or a proof that was stored, and
 * that was changed in spite of it. Call it before there is any work.
 */
export async function audit(world: World): Promise<void> {
  const { database, schema } = world;
  await database.query(`CREATE TABLE ${schema}.rewritten (work CHAR(32), what VARCHAR(200))`);
  await untilTables(world);
  await database.query(
    `CREATE TRIGGER ${schema}.ended_attempts BEFORE UPDATE ON ${schema}.task_attempts FOR EACH ROW
     IF OLD.ended_at IS NOT NULL AND NOT (NEW.ended_at <=> OLD.ended_at AND NEW.outcome <=> OLD.outcome) THEN
       INSERT INTO ${schema}.rewritten
       VALUES (OLD.task_id, CONCAT('attempt ', OLD.attempt, ' had ended as ', OLD.outcome, ' and became ', NEW.outcome));
     END IF`,
  );
  await database.query(
    `CREATE TRIGGER ${schema}.stored_proofs BEFORE UPDATE ON ${schema}.tasks FOR EACH ROW
     IF OLD.out_body IS NOT NULL AND OLD.error_reason IS NULL AND NOT (NEW.out_body <=> OLD.out_body) THEN
       INSERT INTO ${schema}.rewritten VALUES (OLD.id, 'a stored proof was replaced');
     END IF`,
  );
}

export async function readRewrites({ database, schema }: World): Promise<Rewrite[]> {
  return await database.query<Rewrite>(`SELECT work, what FROM ${schema}.rewritten`);
}

/** The first master makes them. */
async function untilTables({ database, schema, home }: World): Promise<void> {
  for (const end = performance.now() + TABLES_LIMIT_MS; performance.now() < end; ) {
    const found = await database.query(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = '${schema}' AND table_name = 'task_attempts'`,
    );
    if (found.length > 0) return;
    await pause(LOOK_AGAIN_MS);
  }
  throw new Error(`no master makes its tables; the logs are in ${home}`);
}
