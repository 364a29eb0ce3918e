import type { Clock } from '../../clock/clock.ts';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import type { ProverProgress } from '../../ext-processor/messages.ts';
import type { AttemptId, FailureClass, Heartbeat } from '../../rpc/methods.ts';
import type { WindowPostOutput, WindowPostTask } from '../../rpc/window-post.ts';
import type { ProvingSlot } from './proving-slot.ts';

export interface StartedAttempt extends AttemptId {
  readonly task: WindowPostTask;
  /** Milliseconds since 1970; null: never. */
  readonly closeAt: number | null;
}

/** How an attempt ended, for the master. */
export type Outcome =
  | { readonly output: WindowPostOutput }
  | { readonly failure: { readonly class: FailureClass; readonly reason: string } };

/** The wall clock may be set, and a timer holds at most 24 days, so the time left is looked at again this often. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Whether Close has passed is the master's to judge, by the database's clock: a slave whose clock is fast only gives its attempt
 * up. Anything else that ends a proof here is this slave's matter.
 */
const FAILURE_CLASSES: Readonly<Record<string, FailureClass>> = {
  'deadline-closed': 'transient',
  'slave-stopping': 'transient',
};

/** A lease of this slave, from its start until the master has its outcome. */
export class HeldAttempt {
  readonly id: string;
  readonly attempt: number;
  readonly #clock: Clock;
  readonly #started: StartedAttempt;
  readonly #ending = new AbortController();
  readonly #dropping = new AbortController();
  #progress: ProverProgress;

  constructor(components: { readonly clock: Clock }, started: StartedAttempt) {
    this.id = started.id;
    this.attempt = started.attempt;
    this.#clock = components.clock;
    this.#started = started;
    this.#progress = { phase: 'reading', done: 0, total: started.task.replicas?.length ?? 0 };
  }

  /** Aborted when the master does not want the outcome any more. */
  get dropped(): AbortSignal {
    return this.#dropping.signal;
  }

  get heartbeat(): Heartbeat {
    return { id: this.id, attempt: this.attempt, ...this.#progress };
  }

  /** Ends the proof; its outcome is a failure. */
  end(reason: CodedError): void {
    this.#ending.abort(reason);
  }

  /** Ends the proof and all that would follow. */
  drop(reason: string): void {
    this.#dropping.abort(new CodedError('attempt-dropped', reason));
  }

  /** Runs the proof to its outcome; never rejects. */
  async prove(slot: ProvingSlot): Promise<Outcome> {
    const callOff = this.#endAtClose();
    try {
      const output = await slot.prove(this.#started.task, {
        signal: AbortSignal.any([this.#ending.signal, this.#dropping.signal]),
        onProgress: (progress) => {
          this.#progress = progress;
        },
      });
      return { output };
    } catch (error) {
      const failureClass = FAILURE_CLASSES[errorCode(error) ?? ''] ?? 'slave';
      return { failure: { class: failureClass, reason: errorText(error) } };
    } finally {
      callOff();
    }
  }

  #endAtClose(): () => void {
    const { closeAt } = this.#started;
    if (closeAt === null) return () => {};
    let callOff = (): void => {};
    const look = (): void => {
      const left = closeAt - this.#clock.now();
      if (left <= 0) this.end(new CodedError('deadline-closed', 'the deadline closed before the proof was made'));
      else callOff = this.#clock.after(Math.min(left, LOOK_AGAIN_MS), look);
    };
    look();
    return () => callOff();
  }
}
