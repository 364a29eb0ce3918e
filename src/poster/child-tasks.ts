import type { Clock } from '../clock/clock.ts';
import { judgeOutput } from '../dispatch/judge-output.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { ProverPool } from '../ext-processor/prover-pool.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import { isProof } from '../queue/is-proof.ts';
import { nameCopies } from '../queue/name-copies.ts';
import { REFUSED } from '../queue/task-state.ts';
import { canonicalTask, taskId } from '../queue/window-post-task.ts';
import type { TaskView } from '../rpc/methods.ts';
import { type WindowPostOutput, type WindowPostTask, windowPostOutput } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TaskService } from './task-service.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pool: Pick<ProverPool, 'prove'>;
  readonly verifier: Pick<Verifier, 'verifyTask'>;
}

interface Held {
  view: TaskView;
  readonly closeAt: number;
  readonly stop: AbortController;
}

/** Past its Close nobody asks for a task any more. */
const KEPT_MS = 3_600_000;

/** As children say it; a Go program writes an empty list as null. */
const { proofs, faults } = windowPostOutput.shape;
const childOutput = windowPostOutput.extend({
  proofs: proofs.nullish().transform((list) => list ?? []),
  faults: faults.nullish().transform((list) => list ?? []),
});

/**
 * Tasks that children of this process prove. They live in its memory alone: after a restart the poster finds its task unknown and
 * asks for it again. Proofs are verified before a task is called proven.
 */
export class ChildTasks implements TaskService {
  readonly #components: Components;
  readonly #onFinish: () => void;
  readonly #held = new Map<string, Held>();

  constructor(components: Components, init: { readonly onFinish: () => void }) {
    this.#components = components;
    this.#onFinish = init.onFinish;
  }

  async submit(task: WindowPostTask, closeAt: number): Promise<TaskView> {
    this.#forgetOld();
    const body = canonicalTask(task);
    const id = taskId(body);
    const known = this.#held.get(id);
    if (known !== undefined && ['waiting', 'running', 'proven'].includes(known.view.state)) return known.view;
    const held = { view: this.#newView(id, closeAt), closeAt, stop: new AbortController() };
    this.#held.set(id, held);
    void this.#carryOut(held, body);
    return held.view;
  }

  async get(id: string): Promise<TaskView | null> {
    return this.#held.get(id)?.view ?? null;
  }

  async cancel(id: string, reason: string): Promise<void> {
    this.#held.get(id)?.stop.abort(new CodedError('task-cancelled', reason));
  }

  async refuse(id: string, proof: Uint8Array, reason: string): Promise<boolean> {
    const held = this.#held.get(id);
    if (held === undefined || !isProof(held.view, proof)) return true;
    held.view = { ...held.view, state: 'failed', output: null, error: `${REFUSED}${reason}` };
    this.#onFinish();
    return true;
  }

  close(): void {
    for (const { stop } of this.#held.values()) stop.abort(new CodedError('task-cancelled', 'the manager stops'));
  }

  async #carryOut(held: Held, body: Uint8Array): Promise<void> {
    const { clock, logger, pool } = this.#components;
    const { closeAt, stop } = held;
    const { id } = held.view;
    const callOff = clock.after(Math.max(0, closeAt - clock.now()), () =>
      stop.abort(new CodedError('deadline-closed', 'the deadline closed')),
    );
    try {
      const output = await pool.prove(body, {
        signal: stop.signal,
        closeAt,
        accept: (said) => this.#accept(body, said),
        onStart: (child) => {
          const { view } = held;
          held.view = {
            ...view,
            state: 'running',
            slave: child,
            attempts: view.attempts + 1,
            startedAt: clock.now(),
          };
          logger.info({ id, child, attempt: held.view.attempts }, 'a child proves a task');
        },
      });
      this.#finish(held, output.faults.length > 0 ? 'faulted' : 'proven', { output, error: null });
    } catch (error) {
      this.#finish(held, stop.signal.aborted ? 'cancelled' : 'failed', { output: null, error: errorText(error) });
    } finally {
      callOff();
    }
  }

  async #accept(body: Uint8Array, said: unknown): Promise<WindowPostOutput> {
    const output = childOutput.safeParse(said);
    if (!output.success) throw new CodedError('prover-failed', 'the child answered something that is no output');
    const refusal = await judgeOutput(this.#components.verifier, body, output.data);
    if (refusal !== null) throw new CodedError('prover-failed', refusal);
    return nameCopies(body, output.data);
  }

  #newView(id: string, closeAt: number): TaskView {
    return {
      id,
      state: 'waiting',
      closeAt,
      retryCount: 0,
      attempts: 0,
      slave: null,
      phase: null,
      done: 0,
      total: 0,
      createdAt: this.#components.clock.now(),
      startedAt: null,
      finishedAt: null,
      output: null,
      error: null,
    };
  }

  #finish(held: Held, state: TaskView['state'], result: Pick<TaskView, 'output' | 'error'>): void {
    const { clock, logger } = this.#components;
    const finishedAt = clock.now();
    held.view = { ...held.view, ...result, state, finishedAt };
    const { id, slave, startedAt, attempts, error } = held.view;
    const tookMs = startedAt === null ? null : finishedAt - startedAt;
    const facts = { id, state, child: slave, attempts, tookMs, faults: result.output?.faults.length ?? 0, error };
    if (state === 'proven') logger.info(facts, 'a task of a child ended');
    else logger.warn(facts, 'a task of a child ended');
    this.#onFinish();
  }

  #forgetOld(): void {
    const now = this.#components.clock.now();
    for (const [id, { closeAt }] of this.#held) if (closeAt + KEPT_MS < now) this.#held.delete(id);
  }
}
