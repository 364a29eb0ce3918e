import type { Executor } from '../database/database.ts';
import type { AttemptReport, TaskReport } from '../rpc/methods.ts';
import { viewOf } from './get-task.ts';

/** All that is known of one task, its attempts from the first to the newest. */
export async function showTask(db: Executor, id: string): Promise<TaskReport | null> {
  const current = await viewOf(db, 'tasks', id);
  const view = current ?? (await viewOf(db, 'tasks_archived', id));
  if (view === null) return null;
  const details = await db
    .selectFrom('task_details')
    .select(['miner_id', 'proof_type', 'sector_count'])
    .where('task_id', '=', id)
    .executeTakeFirst();
  return {
    ...view,
    archived: current === null,
    minerId: details?.miner_id ?? null,
    proofType: details?.proof_type ?? null,
    sectors: details?.sector_count ?? null,
    history: await attemptsOf(db, id),
  };
}

async function attemptsOf(db: Executor, id: string): Promise<AttemptReport[]> {
  const rows = await db.selectFrom('task_attempts').selectAll().where('task_id', '=', id).orderBy('attempt').execute();
  return rows.map((row) => ({
    attempt: row.attempt,
    slave: row.slave,
    phase: row.phase,
    done: row.done,
    total: row.total,
    startedAt: row.started_at,
    heartbeatAt: row.heartbeat_at,
    endedAt: row.ended_at,
    outcome: row.outcome,
    reason: row.reason,
  }));
}
