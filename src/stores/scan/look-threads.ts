import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { LookJob, LookResult, WorkerMessage } from './scan-messages.ts';

/** A store over a network answers later, not slower: more calls at a time take the same time. A thread takes 10 MiB. */
const MAX_THREADS = 8;
/** A call that takes longer than this waits for a disk or a network and not for a processor. */
const WAITING_CALL_MS = 0.15;
/** So that a thread has its next job when it is done with one. */
const JOBS_IN_THREAD = 2;

/** The threads of a scan process that look at files; as many as the store's answers make worth while. */
export class LookThreads {
  readonly #root: string;
  readonly #onResult: (result: LookResult) => void;
  readonly #onBusy: () => void;
  readonly #threads: { readonly worker: Worker; jobs: number }[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(init: {
    readonly root: string;
    readonly onResult: (result: LookResult) => void;
    /** The store answers, and a result is not there yet. */
    readonly onBusy: () => void;
  }) {
    this.#root = init.root;
    this.#onResult = init.onResult;
    this.#onBusy = init.onBusy;
    for (let count = Math.min(availableParallelism(), MAX_THREADS); count > 0; count--) this.#addThread();
  }

  /** Resolves when a thread has taken it. */
  async give(job: LookJob): Promise<void> {
    for (;;) {
      const free = this.#threads.toSorted((left, right) => left.jobs - right.jobs)[0];
      if (free !== undefined && free.jobs < JOBS_IN_THREAD) {
        free.jobs++;
        free.worker.postMessage(job);
        return;
      }
      await this.#nextResult();
    }
  }

  /** Resolves when all jobs are done. */
  async idle(): Promise<void> {
    while (this.#threads.some(({ jobs }) => jobs > 0)) await this.#nextResult();
  }

  #nextResult(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #addThread(): void {
    const worker = new Worker(new URL('./scan-worker.js', import.meta.url), {
      workerData: this.#root,
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    const thread = { worker, jobs: 0 };
    this.#threads.push(thread);
    // Nothing can be made up for: the whole process ends, and its parent tells so.
    worker.on('error', (error) => {
      throw error;
    });
    worker.on('message', (result: WorkerMessage) => {
      if (result === 'busy') return this.#onBusy();
      thread.jobs--;
      if (result.callMs > WAITING_CALL_MS && this.#threads.length < MAX_THREADS) this.#addThread();
      this.#onResult(result);
      for (const resume of this.#waiting.splice(0)) resume();
    });
  }
}
