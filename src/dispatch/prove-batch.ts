import { retry } from '../clock/retry.ts';
import { firstAskedFor } from '../queue/proving-seed.ts';
import { parseTask } from '../queue/window-post-task.ts';
import type { WindowPostOutput, WindowPostTask } from '../rpc/window-post.ts';
import { Batch, type BatchComponents } from './batch.ts';
import { cutBatch } from './cut-batch.ts';
import { isPassing } from './is-passing.ts';

export interface BatchRequest {
  /** A WindowPostTask, not checked yet. */
  readonly task: unknown;
  /** When the result is worthless, milliseconds since 1970; null: assumed. */
  readonly closeAt: number | null;
}

/**
 * Answers a request of a foreign manager, of any number of sectors: cut into chunks that slaves prove side by side, joined to one
 * proof of 192 bytes for each chunk, and verified as a whole. `decideBatch` says what is told when.
 *
 * Each chunk is a task of its own. Whoever asks again, after a restart or for other sectors behind the same beginning, finds what
 * is proven or on its way. When the signal ends the wait, the requester is gone and the chunks are left to their end: this
 * protocol has no cancel, a manager that restarts asks for the same again, and Close ends what nobody comes back for.
 *
 * @throws CodedError `bad-task`, `deadline-closed`, `task-cancelled`, `invalid-proof`, `not-leading`, or the signal's reason
 */
export async function proveBatch(
  components: BatchComponents,
  request: BatchRequest,
  signal: AbortSignal,
): Promise<WindowPostOutput> {
  const task = parseTask(request.task);
  const chunks = cutBatch(task);
  const closeAt = request.closeAt ?? (await assumedClose(components, task, signal));
  const { miner_id: minerId, proof_type: proofType } = task;
  const sectors = chunks.reduce((sum, { replicas }) => sum + replicas.length, 0);
  const about = { minerId, proofType, sectors, chunks: chunks.length, closeAt, assumed: request.closeAt === null };
  components.logger.info(about, 'batch asked for');
  const batch = new Batch(components, { task, chunks, closeAt, signal });
  try {
    return await batch.run();
  } finally {
    batch.close();
  }
}

async function assumedClose(
  { clock, db, policy }: BatchComponents,
  task: WindowPostTask,
  signal: AbortSignal,
): Promise<number> {
  const { assumedCloseMs, retryIntervalMs } = policy;
  const challenge = { minerId: task.miner_id, seed: task.seed };
  const since = await retry(
    clock,
    { pauseMs: retryIntervalMs, maxPauseMs: retryIntervalMs, signal, isTransient: isPassing },
    () => firstAskedFor(db, challenge, assumedCloseMs),
  );
  return since + assumedCloseMs;
}
