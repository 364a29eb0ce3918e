import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import {
  type RehearsalOutput,
  rehearsalOutput,
  type WindowPostOutput,
  type WindowPostTask,
} from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import { proverBinary } from './prover-binary.ts';
import { ProverProcess } from './prover-process.ts';

export interface RehearsalFault {
  readonly class: 'bad' | 'unknown';
  readonly reason: string;
}

export interface Rehearser {
  /**
   * Reads what a proof would read, without making one. Sector number → why it gave no vanilla proof; `unknown`: its store could not
   * be read.
   * @throws CodedError `prover-not-started`, `prover-not-ready`, `prover-failed`, `prover-exited`, `time-limit`, or the signal's reason
   */
  faults(task: WindowPostTask, signal: AbortSignal): Promise<Map<number, RehearsalFault>>;
}

const READY_LIMIT_MS = 60_000;
/** A full partition of 32 GiB sectors on slow disks. */
export const REHEARSAL_LIMIT_MS = 20 * 60_000;

/**
 * One rehearsal on this host. Needs no parameters; rehearsals are rare, so each has a process of its own that ends with it.
 * @param init.stores directories below which sectors are read; default: any
 */
export async function rehearse(
  components: { readonly clock: Clock; readonly logger: Logger },
  task: object,
  init: { readonly signal?: AbortSignal; readonly env?: NodeJS.ProcessEnv; readonly stores?: readonly string[] },
): Promise<RehearsalOutput> {
  const { signal, env, stores = [] } = init;
  const prover = new ProverProcess(components, {
    bin: proverBinary(env),
    args: ['processor', 'window_post', '--rehearse', ...stores.flatMap((store) => ['--store', store])],
    stage: 'window_post',
    readyTimeoutMs: READY_LIMIT_MS,
    ...(env && { env }),
  });
  try {
    await prover.start();
    const answer = prover.request(task, signal === undefined ? {} : { signal });
    return rehearsalOutput.parse(await withTimeLimit(components.clock, REHEARSAL_LIMIT_MS, 'the rehearsal', answer));
  } finally {
    await prover.kill();
  }
}

export function createRehearser(components: { readonly clock: Clock; readonly logger: Logger }): Rehearser {
  return { faults: async (task, signal) => rehearsalFaults(await rehearse(components, task, { signal })) };
}

export function rehearsalFaults({ faults, details }: WindowPostOutput): Map<number, RehearsalFault> {
  const reasons = new Map(details?.map((detail) => [detail.sector_id, detail]));
  return new Map(faults.map((sector) => [sector, reasons.get(sector) ?? { class: 'bad', reason: 'unreadable' }]));
}
