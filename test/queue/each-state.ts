import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';
import { cancelTask } from '../../src/queue/cancel-task.ts';
import { failAttempt } from '../../src/queue/fail-attempt.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { taskStates } from '../../src/rpc/methods.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';

type State = (typeof taskStates)[number];

const policy = { maxRetry: 2, retryIntervalMs: 10_000 };

/** A task in this state, of a number of its own. */
export async function taskIn(
  db: Database,
  state: State,
  number: number,
  closeAt: number | null = null,
): Promise<string> {
  const { id } = await submitTask(db, { task: sampleTask(number), closeAt });
  if (state === 'waiting') return id;
  if (state === 'cancelled') {
    await cancelTask(db, id, 'not needed');
    return id;
  }
  const lease = await startAttempt(db, { id, slave: 'slave-1', lastAttempt: 0 });
  if (lease === null) throw new Error('not started');
  if (state === 'proven') await finishAttempt(db, lease, SAMPLE_PROOF);
  if (state === 'faulted') await finishAttempt(db, lease, SAMPLE_FAULTS);
  if (state === 'failed') {
    await failAttempt(db, lease, { class: 'permanent', outcome: 'failed', reason: 'bad input' }, policy);
  }
  return id;
}

/** A task of each state. */
export async function tasksOfEachState(db: Database): Promise<Map<State, string>> {
  const tasks = new Map<State, string>();
  for (const [index, state] of taskStates.entries()) tasks.set(state, await taskIn(db, state, index + 1));
  return tasks;
}

/** Rows as the system before us left them: no details, ids of another kind. */
export async function strangers(db: Database): Promise<void> {
  const body = Buffer.from('{}');
  const now = Math.floor(Date.now() / 1000);
  const rows = [
    { id: 'seed-waiting', created_at: now - 60 },
    { id: 'seed-running', created_at: now - 60, started_at: now - 30, slave: 'old-slave', heartbeat_at: now },
    {
      id: 'seed-proven',
      created_at: now - 60,
      started_at: now - 30,
      finished_at: now - 10,
      out_body: body,
      slave: 'old-slave',
    },
    {
      id: 'seed-failed',
      created_at: now - 60,
      started_at: now - 30,
      finished_at: now - 10,
      error_reason: 'gpu',
      retry_count: 3,
    },
  ];
  for (const row of rows)
    await db.kysely
      .insertInto('tasks')
      .values({ in_body: body, ...row })
      .execute();
}

/** As if these tasks had finished so long ago. */
export async function finishedAgo(db: Database, ids: readonly string[], seconds: number): Promise<void> {
  for (const table of ['tasks', 'tasks_archived'] as const) {
    await db.kysely
      .updateTable(table)
      .set({ finished_at: sql<number>`UNIX_TIMESTAMP() - ${seconds}` })
      .where('id', 'in', ids)
      .where('finished_at', 'is not', null)
      .execute();
  }
}
