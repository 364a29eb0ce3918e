import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../clock/clock.ts';
import { LineServer } from '../../ext-processor/line-server.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createWinningProver } from '../../winning/winning-prover.ts';

/**
 * The child of a manager that wants winning proofs: made in a process of their own on this host, with no master, database or slave in
 * the way. It is ready at once; what is asked while the prover starts waits for it. Ends when the parent closes its end, or the signal.
 */
export async function runWinningLine(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: { readonly signal: AbortSignal; readonly input: Readable; readonly output: Writable },
): Promise<void> {
  const { signal, input, output } = init;
  const prover = createWinningProver(components, { warmUp: true });
  const answer = (task: object, gone: AbortSignal) => prover.prove(task, gone);
  try {
    await new LineServer(components, { stage: 'winning_post', input, output, answer }).serve(signal);
  } finally {
    await prover.close();
  }
}
