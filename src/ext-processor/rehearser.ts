import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import { windowPostOutput } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import { proverBinary } from './prover-binary.ts';
import { ProverProcess } from './prover-process.ts';

export interface Rehearser {
  /**
   * Reads what a proof would read, without making one. Sector number → why it gave no vanilla proof.
   * @throws CodedError `prover-not-started`, `prover-not-ready`, `prover-failed`, `prover-exited`, `time-limit`, or the signal's reason
   */
  faults(task: WindowPostTask, signal: AbortSignal): Promise<Map<number, string>>;
}

const READY_LIMIT_MS = 60_000;
/** A full partition of 32 GiB sectors on slow disks. */
const REHEARSAL_LIMIT_MS = 20 * 60_000;

/** Needs no parameters. Rehearsals are rare, so each has a process of its own that ends with it. */
export function createRehearser(components: { readonly clock: Clock; readonly logger: Logger }): Rehearser {
  return {
    async faults(task, signal) {
      const prover = new ProverProcess(components, {
        bin: proverBinary(),
        args: ['processor', 'window_post', '--rehearse'],
        stage: 'window_post',
        readyTimeoutMs: READY_LIMIT_MS,
      });
      try {
        await prover.start();
        const answer = prover.request(task, { signal });
        const output = windowPostOutput.parse(
          await withTimeLimit(components.clock, REHEARSAL_LIMIT_MS, 'the rehearsal', answer),
        );
        const reasons = new Map(output.details?.map((detail) => [detail.sector_id, detail.reason]));
        return new Map(output.faults.map((sector) => [sector, reasons.get(sector) ?? 'unreadable']));
      } finally {
        await prover.kill();
      }
    },
  };
}
