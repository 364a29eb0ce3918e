import type { Clock } from '../clock/clock.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import type { TaskView } from '../rpc/methods.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import type { TaskService } from './task-service.ts';

export interface Simulation {
  /** Whether every sector of the task was proven and the proof holds here too. */
  readonly passed: boolean;
  /** Why not; null where it passed. */
  readonly reason: string | null;
  readonly task: string;
  readonly attempts: number;
  /** Of the last attempt. */
  readonly slave: string | null;
  /** Sectors that gave no vanilla proof on the slave. */
  readonly faults: readonly { readonly number: number; readonly reason: string }[];
  /** From submission to the proof, waiting for a slave included. */
  readonly proveMs: number;
  /** From its first lease to the proof, by the master's whole seconds; null: never begun. */
  readonly workMs: number | null;
  readonly verifyMs: number | null;
}

const ASK_PAUSE_MS = 500;

/**
 * Sends a task the way of a real one, through master and slaves, and verifies the proof; nothing is sent to the chain. A task that is
 * not done when the signal aborts is cancelled.
 * @param init.closeAt when it is given up, in milliseconds since 1970; a task with an earlier Close is proven first
 * @throws CodedError of the master where the submission is not taken; the signal's reason
 */
export async function simulatePartition(
  components: { readonly clock: Clock; readonly tasks: TaskService; readonly verifier: Verifier },
  init: {
    readonly task: WindowPostTask;
    readonly closeAt: number;
    readonly signal: AbortSignal;
    readonly onProgress?: (view: TaskView) => void;
  },
): Promise<Simulation> {
  const { clock, verifier } = components;
  const began = clock.monotonic();
  const view = await untilFinished(components, init);
  const proveMs = Math.round(clock.monotonic() - began);
  const { id: task, attempts, slave, startedAt, finishedAt, output } = view;
  const workMs = startedAt === null || finishedAt === null ? null : Math.max(0, finishedAt - startedAt);
  const made = { task, attempts, slave, faults: [], proveMs, workMs, verifyMs: null };
  const failed = (reason: string): Simulation => ({ ...made, passed: false, reason });
  if (view.state === 'faulted') {
    const reasons = new Map(output?.details?.map((detail) => [detail.sector_id, detail.reason]));
    const faults = (output?.faults ?? []).map((number) => ({ number, reason: reasons.get(number) ?? 'unreadable' }));
    return { ...failed(`${faults.length} sectors gave no vanilla proof`), faults };
  }
  const [proof] = output?.proofs ?? [];
  if (view.state !== 'proven') return failed(view.error ?? `the task is ${view.state}`);
  if (proof === undefined) return failed('the master calls it proven and has no proof');
  const beforeVerify = clock.monotonic();
  const body = Buffer.from(JSON.stringify(init.task));
  const { valid, reason } = await verifier.verifyTask(body, Buffer.from(proof, 'base64'));
  const verifyMs = Math.round(clock.monotonic() - beforeVerify);
  return { ...made, verifyMs, passed: valid, reason: valid ? null : `the proof does not hold: ${reason}` };
}

async function untilFinished(
  { clock, tasks }: { readonly clock: Clock; readonly tasks: TaskService },
  { task, closeAt, signal, onProgress }: Parameters<typeof simulatePartition>[1],
): Promise<TaskView> {
  let view = await tasks.submit(task, closeAt);
  const { id } = view;
  try {
    while (view.finishedAt === null) {
      onProgress?.(view);
      await clock.sleep(ASK_PAUSE_MS, signal);
      // A master that is away comes back; one that forgot the task has to be told by its operator.
      const seen = await tasks.get(id).catch((error: unknown) => ({ trouble: errorText(error) }));
      if (seen === null) return { ...view, state: 'failed', error: 'the master does not know the task any more' };
      if (!('trouble' in seen)) view = seen;
    }
    return view;
  } catch (error) {
    if (signal.aborted) await tasks.cancel(id, 'the simulation was given up').catch(() => {});
    throw error;
  }
}
