import type { Database } from '../database/database.ts';
import { errorText } from '../errors/coded-error.ts';
import { finishTask, liveAttempts, lockTask } from './attempt.ts';
import { type RowsDone, rowByRow } from './row-by-row.ts';
import { nowMs } from './sql-time.ts';
import { decodeTask } from './window-post-task.ts';

/**
 * Takes over what others left in `tasks`: rows of the system before us or put there by hand get their details (one whose body
 * cannot be read fails), and rows that run without a live attempt wait again.
 */
export async function adoptTasks(db: Database): Promise<RowsDone> {
  const strangers = await db.kysely
    .selectFrom('tasks')
    .leftJoin('task_details', 'task_id', 'id')
    .select('id')
    .where('finished_at', 'is', null)
    .where('task_id', 'is', null)
    .execute();
  const adopted = await rowByRow(idsOf(strangers), (id) => adopt(db, id));
  const orphans = await db.kysely
    .selectFrom('tasks')
    .leftJoin('task_attempts', (join) => join.onRef('task_id', '=', 'id').on('ended_at', 'is', null))
    .select('id')
    .where('finished_at', 'is', null)
    .where('tasks.started_at', 'is not', null)
    .where('task_id', 'is', null)
    .execute();
  const failed = new Set(idsOf(adopted.leftOut));
  const waiting = await rowByRow(
    idsOf(orphans).filter((id) => !failed.has(id)),
    (id) => waitAgain(db, id),
  );
  return { changed: adopted.changed + waiting.changed, leftOut: [...adopted.leftOut, ...waiting.leftOut] };
}

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

async function waitAgain(db: Database, id: string): Promise<boolean> {
  return await db.transaction(async (trx) => {
    await lockTask(trx, id);
    if ((await liveAttempts(trx, id)).length > 0) return false;
    await trx
      .updateTable('tasks')
      .set({ started_at: null, heartbeat_at: null })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .execute();
    return true;
  });
}

async function adopt(db: Database, id: string): Promise<boolean> {
  return await db.transaction(async (trx) => {
    const row = await trx.selectFrom('tasks').select('in_body').where('id', '=', id).forUpdate().executeTakeFirst();
    if (row === undefined) return false;
    const facts = readBody(row.in_body);
    if (typeof facts === 'string') {
      return await finishTask(trx, id, { out_body: null, error_reason: facts });
    }
    await trx
      .insertInto('task_details')
      .ignore()
      .values({ task_id: id, ...facts, close_at: null, queued_at: nowMs })
      .execute();
    return true;
  });
}

function readBody(body: Buffer): { miner_id: number; proof_type: string; sector_count: number } | string {
  try {
    const { miner_id, proof_type, replicas } = decodeTask(body);
    return { miner_id, proof_type, sector_count: replicas.length };
  } catch (error) {
    return `bad-task: ${errorText(error)}`;
  }
}
