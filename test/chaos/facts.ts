import { type Rewrite, readRewrites } from './audit.ts';
import { type Effect, toMonotonic } from './effects.ts';
import type { Fault } from './inject.ts';
import type { World } from './world.ts';

/** A row of task_attempts; times on the clock of the effects log. */
export interface AttemptFact {
  readonly work: string;
  readonly attempt: number;
  readonly slave: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly outcome: string | null;
}

/** A row of tasks. */
export interface TaskFact {
  readonly work: string;
  readonly lastAttempt: number;
  readonly isFinished: boolean;
  /** Base64; null where none is stored. */
  readonly proof: string | null;
  readonly error: string | null;
}

/** What was asked for. */
export interface WantedTask {
  readonly work: string;
  /** On the clock of the effects log; null: none. */
  readonly closeAt: number | null;
  readonly steps: readonly string[];
}

/** All that a schedule is judged by: nothing in it was said by the code under test but the rows themselves. */
export interface Facts {
  readonly wanted: readonly WantedTask[];
  readonly effects: readonly Effect[];
  readonly attempts: readonly AttemptFact[];
  readonly tasks: readonly TaskFact[];
  readonly faults: readonly Fault[];
  readonly rewrites: readonly Rewrite[];
}

interface AttemptRow {
  readonly task_id: string;
  readonly attempt: number;
  readonly slave: string;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly outcome: string | null;
}

interface TaskRow {
  readonly id: string;
  readonly last_attempt: number;
  readonly finished_at: number | null;
  readonly out_body: Buffer | null;
  readonly error_reason: string | null;
}

/** The database's clock is this machine's. */
export async function readRows(world: World): Promise<Pick<Facts, 'attempts' | 'tasks' | 'rewrites'>> {
  const { database, schema } = world;
  const attempts = await database.query<AttemptRow>(
    `SELECT task_id, attempt, slave, started_at, ended_at, outcome FROM ${schema}.task_attempts ORDER BY task_id, attempt`,
  );
  const tasks = await database.query<TaskRow>(
    `SELECT id, last_attempt, finished_at, out_body, error_reason
     FROM ${schema}.tasks JOIN ${schema}.task_details ON task_id = id`,
  );
  return {
    rewrites: await readRewrites(world),
    attempts: attempts.map((row) => ({
      work: row.task_id,
      attempt: row.attempt,
      slave: row.slave,
      startedAt: toMonotonic(row.started_at),
      endedAt: row.ended_at === null ? null : toMonotonic(row.ended_at),
      outcome: row.outcome,
    })),
    tasks: tasks.map((row) => ({
      work: row.id,
      lastAttempt: row.last_attempt,
      isFinished: row.finished_at !== null,
      proof: row.out_body === null ? null : proofOf(row.out_body),
      error: row.error_reason,
    })),
  };
}

function proofOf(body: Buffer): string | null {
  const { proofs } = JSON.parse(body.toString()) as { proofs: string[] };
  return proofs[0] ?? null;
}
