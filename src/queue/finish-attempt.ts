import type { Database, Transaction } from '../database/database.ts';
import type { AttemptId, Verdict } from '../rpc/methods.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';
import {
  type EndedAttempt,
  endAttempt,
  endLiveAttempts,
  finishTask,
  liveAttempts,
  lockTask,
  whyClosed,
} from './attempt.ts';
import type { TaskState } from './task-state.ts';

/** The result of an attempt's end, with the other attempts that it ended. */
export interface FinishVerdict extends Verdict {
  readonly ended: readonly EndedAttempt[];
  /** The state it left its task in; absent where it was not accepted. */
  readonly state?: TaskState;
}

/**
 * Stores what a live attempt found. A proof must be verified before; the first one wins and ends the other attempts. Faults
 * finish the task only when no other attempt lives that may read what this one could not.
 */
export async function finishAttempt(
  db: Database,
  attempt: AttemptId,
  output: WindowPostOutput,
): Promise<FinishVerdict> {
  const { id } = attempt;
  const outBody = Buffer.from(JSON.stringify(output));
  return await db.transaction(async (trx) => {
    await lockTask(trx, id);
    const faults = output.faults.length;
    const reason = faults === 0 ? null : `${faults} sectors could not be read`;
    if (!(await endAttempt(trx, attempt, { outcome: faults === 0 ? 'proven' : 'faulted', reason }))) {
      return { accepted: false, reason: await whyClosed(trx, attempt), ended: [] };
    }
    if (faults > 0 && (await liveAttempts(trx, id)).length > 0) {
      return { accepted: true, reason: null, ended: [], state: 'running' };
    }
    if (!(await finishTask(trx, id, { out_body: outBody, error_reason: reason }))) {
      const refused = 'the task was finished by somebody else';
      await renameEnd(trx, attempt, refused);
      return { accepted: false, reason: refused, ended: [] };
    }
    const ended = await endLiveAttempts(trx, id, { outcome: 'superseded', reason: 'another attempt was first' });
    return { accepted: true, reason: null, ended, state: faults === 0 ? 'proven' : 'faulted' };
  });
}

/** Of an attempt that was ended as the winner, and was not. */
async function renameEnd(trx: Transaction, { id, attempt }: AttemptId, reason: string): Promise<void> {
  await trx
    .updateTable('task_attempts')
    .set({ outcome: 'superseded', reason })
    .where('task_id', '=', id)
    .where('attempt', '=', attempt)
    .execute();
}
