import { sql } from 'kysely';
import type { Database, Transaction } from '../database/database.ts';
import type { AttemptOutcome } from '../database/tables/queue.ts';
import type { AttemptId, FailureClass as ReportedFailure } from '../rpc/methods.ts';
import { endAttempt, endLiveAttempts, finishTask, liveAttempts, lockTask, whyClosed } from './attempt.ts';
import type { FinishVerdict } from './finish-attempt.ts';
import { nowMs } from './sql-time.ts';
import { storableReason } from './storable-reason.ts';
import { CANCELLED } from './task-state.ts';

/**
 * permanent: bad input, no attempt can help. slave: this slave's parameters, GPU or memory; another may try at once.
 * transient: again after a while. lost: nobody's failure, not counted, again at once.
 */
export type FailureClass = ReportedFailure | 'lost';

export interface Failure {
  readonly class: FailureClass;
  readonly outcome: Extract<AttemptOutcome, 'failed' | 'lost' | 'timeout'>;
  readonly reason: string;
  /** Of one that is lost: its slave gets the task again only after a while, another one at once. */
  readonly elsewhere?: boolean;
}

export interface RetryPolicy {
  /** For tasks without a Close; those with one are tried until then. */
  readonly maxRetry: number;
  readonly retryIntervalMs: number;
}

/** The seed's column is a SMALLINT. */
const MOST_RETRIES = 32_767;

/** Ends an attempt without a result. Its task waits again, unless another attempt lives or it has failed for good. */
export async function failAttempt(
  db: Database,
  /** With the slave whose report it is, where it is one. */
  attempt: AttemptId & { readonly slave?: string },
  failure: Failure,
  policy: RetryPolicy,
): Promise<FinishVerdict> {
  const { id } = attempt;
  return await db.transaction(async (trx) => {
    const task = await lockTask(trx, id);
    const { outcome } = failure;
    // What a slave says must not look like a cancellation.
    const reason = failure.reason.startsWith(CANCELLED) ? `failed: ${failure.reason}` : failure.reason;
    if (task === undefined || !(await endAttempt(trx, attempt, { outcome, reason }))) {
      return { accepted: false, reason: await whyClosed(trx, attempt), ended: [] };
    }
    if (failure.class !== 'lost') {
      await trx
        .updateTable('tasks')
        .set({ retry_count: sql<number>`LEAST(retry_count + 1, ${MOST_RETRIES})` })
        .where('id', '=', id)
        .execute();
    }
    if (failure.class === 'permanent' || (await isSpent(trx, id, task.close_at, policy))) {
      // A competitor of a spent task may still prove it; bad input is bad for all.
      const others = await liveAttempts(trx, id);
      if (failure.class !== 'permanent' && others.length > 0) {
        return { accepted: true, reason: null, ended: [], state: 'running' };
      }
      await finishTask(trx, id, { out_body: null, error_reason: reason });
      const ended = await endLiveAttempts(trx, id, { outcome: 'superseded', reason: 'the task failed' });
      return { accepted: true, reason: null, ended, state: 'failed' };
    }
    const others = await liveAttempts(trx, id);
    if (others.length === 0) await waitAgain(trx, id, { ...failure, reason }, policy);
    return { accepted: true, reason: null, ended: [], state: others.length === 0 ? 'waiting' : 'running' };
  });
}

async function isSpent(trx: Transaction, id: string, closeAt: number | null, policy: RetryPolicy): Promise<boolean> {
  if (closeAt !== null) return false;
  const { retry_count } = await trx
    .selectFrom('tasks')
    .select('retry_count')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return retry_count > policy.maxRetry;
}

async function waitAgain(trx: Transaction, id: string, failure: Failure, policy: RetryPolicy): Promise<void> {
  const isAtOnce = failure.class === 'lost' && failure.elsewhere !== true;
  const pause = isAtOnce ? 0 : policy.retryIntervalMs;
  await trx
    .updateTable('task_details')
    .set({ retry_elsewhere: elsewhereOf(failure), retry_at: sql<number>`${nowMs} + ${pause}` })
    .where('task_id', '=', id)
    .execute();
  await storableReason(failure.reason, (reason) =>
    trx
      .updateTable('tasks')
      .set({ started_at: null, heartbeat_at: null, error_reason: reason })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .execute(),
  );
}

/** Whether the pause is for its slave only. */
function elsewhereOf({ class: failureClass, elsewhere }: Failure) {
  if (failureClass === 'lost') return elsewhere === true ? 1 : 0;
  if (failureClass !== 'slave') return 0;
  // One that fails on a second slave within the pause of the first may be to blame itself: then it rests everywhere. The
  // assignment comes first, since those after it change what it looks at.
  return sql<number>`IF(retry_elsewhere = 1 AND retry_at > ${nowMs}, 0, 1)`;
}
