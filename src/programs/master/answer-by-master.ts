import type { Clock } from '../../clock/clock.ts';
import { retry } from '../../clock/retry.ts';
import { withTimeLimit } from '../../clock/time-limit.ts';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import type { AnswerTask } from '../../ext-processor/line-server.ts';
import type { RpcClient } from '../../rpc/rpc-client.ts';
import type { WindowPostTask } from '../../rpc/window-post.ts';
import type { Logger } from '../../telemetry/logger.ts';

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
/** The parent gives a batch up on any error, so it hears only of those that no wait can mend. */
const FINAL = ['bad-task', 'bad-params', 'task-cancelled', 'deadline-closed', 'invalid-proof'];

/**
 * Answers window_post tasks with `batch.prove` of the master that leads. While none does, or it is lost, the task waits or is asked
 * for again: the same request finds what was proven.
 * @param init.master settles when one can be reached
 * @param init.limitMs after which the deadline is closed for sure
 */
export function answerByMaster(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: { readonly master: Promise<Pick<RpcClient, 'call'>>; readonly limitMs: number },
): AnswerTask {
  const { clock, logger } = components;
  return async (task, signal) => {
    const until = clock.monotonic() + init.limitMs;
    const leftMs = (): number => until - clock.monotonic();
    const tooLate = (): CodedError =>
      new CodedError('deadline-closed', 'the deadline closed while no master could be reached');
    return await retry(
      clock,
      {
        pauseMs: FIRST_PAUSE_MS,
        maxPauseMs: MAX_PAUSE_MS,
        signal,
        isTransient: (error) => !FINAL.includes(errorCode(error) ?? ''),
        onFailure: (error) =>
          logger.warn({ error: errorText(error) }, 'lines: the master did not answer, asking again'),
      },
      async () => {
        if (leftMs() <= 0) throw tooLate();
        const master = await withTimeLimit(clock, leftMs(), 'the master', init.master);
        if (leftMs() <= 0) throw tooLate();
        const request = { task: task as WindowPostTask, closeAt: null };
        return await master.call('batch.prove', request, { timeoutMs: leftMs() });
      },
    );
  };
}
