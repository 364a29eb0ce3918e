import type { Executor, Transaction } from '../database/database.ts';
import type { AttemptOutcome } from '../database/tables/queue.ts';
import type { AttemptId } from '../rpc/methods.ts';
import { nowMs, nowSeconds } from './sql-time.ts';
import { storableReason } from './storable-reason.ts';

/** An attempt that was ended, and whose slave has to hear of it. */
export interface EndedAttempt {
  readonly id: string;
  readonly attempt: number;
  readonly slave: string;
  readonly outcome: AttemptOutcome;
}

/** Every transition of a task begins with this, so that two of one task follow each other. */
export async function lockTask(trx: Transaction, id: string): Promise<{ close_at: number | null } | undefined> {
  return await trx
    .selectFrom('task_details')
    .select('close_at')
    .where('task_id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

/** The fence: false when the attempt is closed or never was. By primary key: row constructors deadlock here. */
export async function endAttempt(
  trx: Transaction,
  { id, attempt, slave }: AttemptId & { readonly slave?: string },
  end: { readonly outcome: AttemptOutcome; readonly reason: string | null },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('task_attempts')
    .set({ ended_at: nowMs, ...end })
    .where('task_id', '=', id)
    .where('attempt', '=', attempt)
    .where('ended_at', 'is', null)
    .$if(slave !== undefined, (query) => query.where('slave', '=', slave ?? ''))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function endLiveAttempts(
  trx: Transaction,
  id: string,
  end: { readonly outcome: AttemptOutcome; readonly reason: string },
): Promise<EndedAttempt[]> {
  const live = await liveAttempts(trx, id);
  for (const { attempt } of live) await endAttempt(trx, { id, attempt }, end);
  return live.map(({ attempt, slave }) => ({ id, attempt, slave, outcome: end.outcome }));
}

export async function liveAttempts(trx: Transaction, id: string): Promise<{ attempt: number; slave: string }[]> {
  return await trx
    .selectFrom('task_attempts')
    .select(['attempt', 'slave'])
    .where('task_id', '=', id)
    .where('ended_at', 'is', null)
    .execute();
}

/** Why a result of an attempt that is not live cannot count. */
export async function whyClosed(trx: Executor, { id, attempt }: AttemptId): Promise<string> {
  const row = await trx
    .selectFrom('task_attempts')
    .select(['outcome', 'reason'])
    .where('task_id', '=', id)
    .where('attempt', '=', attempt)
    .executeTakeFirst();
  if (row === undefined) return 'there is no such attempt';
  if (row.outcome === null) return 'it is the lease of another slave';
  return `the attempt has ended: ${row.outcome}${row.reason === null ? '' : `, ${row.reason}`}`;
}

/** False when the task is finished already (by hand, since its attempt was live). */
export async function finishTask(
  trx: Transaction,
  id: string,
  result: { readonly out_body: Buffer | null; readonly error_reason: string | null },
): Promise<boolean> {
  return await storableReason(result.error_reason, async (reason) => {
    const { numUpdatedRows } = await trx
      .updateTable('tasks')
      .set({ ...result, error_reason: reason, finished_at: nowSeconds })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  });
}
