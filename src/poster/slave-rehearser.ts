import { errorText } from '../errors/coded-error.ts';
import { REHEARSAL_LIMIT_MS, type Rehearser, rehearsalFaults } from '../ext-processor/rehearser.ts';
import type { RpcClient } from '../rpc/rpc-client.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Several slaves may be tried. */
const ASK_LIMIT_MS = 2 * REHEARSAL_LIMIT_MS;

/** Has a slave read the sectors, where proofs read them too; this host does where no slave can. */
export function slaveRehearser(
  { logger }: { readonly logger: Logger },
  init: { readonly master: Pick<RpcClient, 'call'>; readonly local: Rehearser },
): Rehearser {
  return {
    async faults(task, signal) {
      const attachment = Buffer.from(JSON.stringify(task));
      let onAbort = (): void => {};
      const aborted = new Promise<never>((_, reject) => {
        onAbort = () => reject(signal.reason);
      });
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        signal.throwIfAborted();
        const answer = init.master.call('task.rehearse', {}, { attachment, timeoutMs: ASK_LIMIT_MS });
        return rehearsalFaults(await Promise.race([answer, aborted]));
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ reason: errorText(error) }, 'no slave could read sectors for a rehearsal, they are read here');
        return await init.local.faults(task, signal);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
