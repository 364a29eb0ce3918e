import type { FailureClass } from '../../src/queue/fail-attempt.ts';
import type { TaskState } from '../../src/queue/task-state.ts';

/** The rules of a task in a dozen lines, to compare the database with. */
export class TaskModel {
  state: TaskState = 'waiting';
  attempts = 0;
  retryCount = 0;
  live = new Set<number>();
  readonly #maxRetry: number;

  constructor(maxRetry: number) {
    this.#maxRetry = maxRetry;
  }

  submit(): TaskState {
    if (this.#isFinished() && this.state !== 'proven') {
      this.state = 'waiting';
      this.retryCount = 0;
    }
    return this.state;
  }

  /** Whether it is given. */
  lease(lastAttempt: number): boolean {
    if (this.#isFinished() || lastAttempt !== this.attempts) return false;
    this.state = 'running';
    this.live.add(++this.attempts);
    return true;
  }

  cancel(): void {
    if (!this.#isFinished()) this.#finish('cancelled');
  }

  /** The state it leads to; false when it is refused. */
  finish(attempt: number, proves: boolean): TaskState | false {
    if (!this.live.delete(attempt)) return false;
    if (proves) this.#finish('proven');
    else if (this.live.size === 0) this.#finish('faulted');
    return this.state;
  }

  /** Whether it is accepted. */
  fail(attempt: number, failure: FailureClass): boolean {
    if (!this.live.delete(attempt)) return false;
    if (failure !== 'lost') this.retryCount++;
    const spent = this.retryCount > this.#maxRetry;
    if (failure === 'permanent' || (this.live.size === 0 && spent)) this.#finish('failed');
    else if (this.live.size === 0) this.state = 'waiting';
    return true;
  }

  #isFinished(): boolean {
    return this.state !== 'waiting' && this.state !== 'running';
  }

  #finish(state: TaskState): void {
    this.state = state;
    this.live.clear();
  }
}
