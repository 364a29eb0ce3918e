import type { Database } from '../database/database.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';
import {
  type AttemptId,
  type EndedAttempt,
  endAttempt,
  endLiveAttempts,
  finishTask,
  liveAttempts,
  lockTask,
  type Verdict,
  whyClosed,
} from './attempt.ts';

/** The result of a task's end, with the other attempts that it ended. */
export interface FinishVerdict extends Verdict {
  readonly ended: readonly EndedAttempt[];
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
    if (faults > 0 && (await liveAttempts(trx, id)).length > 0) return { accepted: true, reason: null, ended: [] };
    if (!(await finishTask(trx, id, { out_body: outBody, error_reason: reason }))) {
      return { accepted: false, reason: 'the task was finished by somebody else', ended: [] };
    }
    const ended = await endLiveAttempts(trx, id, { outcome: 'superseded', reason: 'another attempt was first' });
    return { accepted: true, reason: null, ended };
  });
}
