import type { Clock } from '../clock/clock.ts';
import { type WindowPostOutput, type WindowPostTask, windowPostOutput } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ProverProgress } from './messages.ts';
import { proverBinary } from './prover-binary.ts';
import { ProverProcess } from './prover-process.ts';

const READY_LIMIT_MS = 60_000;

/**
 * One proof by a prover of this host that is started for it and ends with it; it needs the parameters.
 * @throws CodedError `prover-not-started`, `prover-not-ready`, `prover-failed`, `prover-exited`, `time-limit`, or the signal's reason
 */
export async function proveLocally(
  components: { readonly clock: Clock; readonly logger: Logger },
  task: WindowPostTask,
  options: { readonly signal: AbortSignal; readonly onProgress?: (progress: ProverProgress) => void },
): Promise<WindowPostOutput> {
  const prover = new ProverProcess(components, {
    bin: proverBinary(),
    args: ['processor', 'window_post', '--progress'],
    stage: 'window_post',
    readyTimeoutMs: READY_LIMIT_MS,
  });
  try {
    await prover.start();
    return windowPostOutput.parse(await prover.request(task, options));
  } finally {
    await prover.kill();
  }
}
