import type { Clock } from '../../clock/clock.ts';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import type { ProverProgress } from '../../ext-processor/messages.ts';
import type { AttemptId, FailureClass, Heartbeat } from '../../rpc/methods.ts';
import type { RpcClient } from '../../rpc/rpc-client.ts';
import type { WindowPostOutput } from '../../rpc/window-post.ts';
import type { ProvingSlot } from './proving-slot.ts';

export interface StartedAttempt extends AttemptId {
  /** The window_post task, or its JSON in UTF-8. */
  readonly task: object;
  readonly sectors: number;
  /** Milliseconds left when it came; null: it never closes. */
  readonly closesInMs: number | null;
}

/** How an attempt ended, for the master. */
export type Outcome =
  | { readonly output: WindowPostOutput }
  | { readonly failure: { readonly class: FailureClass; readonly reason: string } };

/**
 * Whether Close has passed is the master's to judge, and it cancels then. Ours is only counted, from what was left when the attempt
 * came, while no master is there.
 */
const GRACE_MS = 30_000;
/** A timer holds at most 24 days, so the time left is looked at again and again. */
const MIN_LOOK_MS = 1_000;
const MAX_LOOK_MS = 10_000;

/** Whatever else ends a proof here is this slave's matter. */
const FAILURE_CLASSES: Readonly<Record<string, FailureClass>> = {
  'deadline-closed': 'transient',
  'slave-stopping': 'transient',
};

export interface HeldAttemptComponents {
  readonly clock: Clock;
  readonly client: Pick<RpcClient, 'isConnected'>;
}

/** A lease of this slave, from its start until the master has its outcome. */
export class HeldAttempt {
  readonly id: string;
  readonly attempt: number;
  readonly #components: HeldAttemptComponents;
  readonly #started: StartedAttempt;
  /** On the steady clock. */
  readonly #closesAt: number | null;
  /** Of the proof. */
  readonly #ending = new AbortController();
  readonly #dropping = new AbortController();
  #progress: ProverProgress;

  constructor(components: HeldAttemptComponents, started: StartedAttempt) {
    this.id = started.id;
    this.attempt = started.attempt;
    this.#components = components;
    this.#started = started;
    this.#closesAt = started.closesInMs === null ? null : components.clock.monotonic() + started.closesInMs;
    this.#progress = { phase: 'reading', done: 0, total: started.sectors };
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
    const dropped = new CodedError('attempt-dropped', reason);
    this.#dropping.abort(dropped);
    this.#ending.abort(dropped);
  }

  /** Runs the proof to its outcome; never rejects. */
  async prove(slot: ProvingSlot): Promise<Outcome> {
    const callOff = this.#endAtClose();
    try {
      const output = await slot.prove(this.#started.task, {
        signal: this.#ending.signal,
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
    const closesAt = this.#closesAt;
    if (closesAt === null) return () => {};
    const { clock, client } = this.#components;
    const left = (): number => closesAt + GRACE_MS - clock.monotonic();
    let callOff = (): void => {};
    const look = (): void => {
      if (left() > 0 || client.isConnected) lookLater();
      else this.end(new CodedError('deadline-closed', 'the deadline closed while the master was away'));
    };
    const lookLater = (): void => {
      callOff = clock.after(Math.min(Math.max(left(), MIN_LOOK_MS), MAX_LOOK_MS), look);
    };
    lookLater();
    return () => callOff();
  }
}
