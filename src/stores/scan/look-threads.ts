import { statfs } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import {
  CALLS_AT,
  ITEM_FIELDS,
  type LookJob,
  type LookResult,
  SECTOR_AT,
  type WorkerMessage,
  type WorkerStart,
} from './scan-messages.ts';
import type { ScannedSector } from './scanned-sector.ts';

/** A store over a network answers later, not slower: more calls at a time take the same time. A thread takes 10 MiB. */
const MAX_THREADS = 8;
/** A call that takes longer than this waits for a disk or a network and not for a processor. */
const WAITING_CALL_MS = 0.15;
/** So that a thread has its next job when it is done with one. */
const JOBS_IN_THREAD = 2;
/** Threads that hang in a file for good. */
const MAX_LOST = 16;
/** How often the threads are looked at in the time that a file may take. */
const LOOKS_IN_LIMIT = 4;
/** A thread that starts on a busy machine hangs in nothing. */
const NOT_BEGUN = -1;

interface Thread {
  readonly worker: Worker;
  readonly state: Int32Array;
  /** The first one is under way. */
  readonly jobs: LookJob[];
  /** When it was seen to make another call, or to get something to do. */
  movedAt: number;
  calls: number;
}

interface LookThreadsInit {
  readonly clock: Clock;
  readonly root: string;
  readonly fileLimitMs: number;
  readonly onResult: (result: LookResult) => void;
  /** The store answers, and a result is not there yet. */
  readonly onBusy: () => void;
}

/**
 * The threads of a scan process that look at files; as many as the store's answers make worth while. One whose call does not return,
 * while the store answers, is left behind with that sector, and another one goes on with the rest of its jobs.
 */
export class LookThreads {
  readonly #init: LookThreadsInit;
  readonly #threads: Thread[] = [];
  readonly #waiting: (() => void)[] = [];
  #lost = 0;
  #isAsking = false;

  constructor(init: LookThreadsInit) {
    this.#init = init;
    for (let count = Math.min(availableParallelism(), MAX_THREADS); count > 0; count--) this.#addThread();
    this.#watch();
  }

  /** Resolves when a thread has taken it. @throws CodedError `store-not-readable` */
  async give(job: LookJob): Promise<void> {
    for (;;) {
      const free = this.#threads.toSorted((left, right) => left.jobs.length - right.jobs.length)[0];
      if (free !== undefined && free.jobs.length < JOBS_IN_THREAD) return this.#giveTo(free, job);
      await this.#nextResult();
    }
  }

  /** Resolves when all jobs are done. @throws CodedError `store-not-readable` */
  async idle(): Promise<void> {
    while (this.#threads.some(({ jobs }) => jobs.length > 0)) await this.#nextResult();
  }

  #giveTo(thread: Thread, job: LookJob): void {
    if (thread.jobs.length === 0) thread.movedAt = this.#init.clock.monotonic();
    thread.jobs.push(job);
    thread.worker.postMessage(job);
  }

  async #nextResult(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#lost > MAX_LOST) throw new CodedError('store-not-readable', `${this.#lost} files give no answer`);
  }

  #resume(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #addThread(): Thread {
    const state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
    state[SECTOR_AT] = NOT_BEGUN;
    const worker = new Worker(new URL('./scan-worker.js', import.meta.url), {
      workerData: { root: this.#init.root, state } satisfies WorkerStart,
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    const thread: Thread = { worker, state, jobs: [], movedAt: 0, calls: 0 };
    this.#threads.push(thread);
    // Nothing can be made up for: the whole process ends, and its parent tells so.
    worker.on('error', (error) => {
      throw error;
    });
    worker.on('message', (result: WorkerMessage) => {
      if (!this.#threads.includes(thread)) return;
      if (result === 'busy') return this.#init.onBusy();
      thread.jobs.shift();
      thread.movedAt = this.#init.clock.monotonic();
      if (result.callMs > WAITING_CALL_MS && this.#threads.length < MAX_THREADS) this.#addThread();
      this.#init.onResult(result);
      this.#resume();
    });
    return thread;
  }

  /** Threads that make no call any more are left behind once the store has answered something else. */
  #watch(): void {
    const { clock, root, fileLimitMs, onBusy } = this.#init;
    clock.after(fileLimitMs / LOOKS_IN_LIMIT, () => this.#watch());
    const now = clock.monotonic();
    for (const thread of this.#threads) {
      const calls = Atomics.load(thread.state, CALLS_AT);
      const isIdle = thread.jobs.length === 0 || Atomics.load(thread.state, SECTOR_AT) === NOT_BEGUN;
      if (calls !== thread.calls || isIdle) thread.movedAt = now;
      thread.calls = calls;
    }
    const hanging = this.#threads.filter(({ movedAt }) => now - movedAt >= fileLimitMs);
    if (hanging.length === 0 || this.#isAsking) return;
    this.#isAsking = true;
    // Of all calls the one that a network file system never answers from memory.
    statfs(root, () => {
      onBusy();
      // A store that hung and answers again may answer this one first.
      clock.after(fileLimitMs / LOOKS_IN_LIMIT, () => {
        this.#isAsking = false;
        for (const thread of hanging) if (Atomics.load(thread.state, CALLS_AT) === thread.calls) this.#leave(thread);
        this.#resume();
      });
    });
  }

  #leave(thread: Thread): void {
    const { fileLimitMs, onResult } = this.#init;
    const [job, ...rest] = thread.jobs;
    if (job === undefined || !this.#threads.includes(thread)) return;
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    this.#lost++;
    // It ends when its call returns.
    void thread.worker.terminate();
    const from = Atomics.load(thread.state, SECTOR_AT) * ITEM_FIELDS;
    const [minerId = 0, number = 0] = job.items.slice(from, from + ITEM_FIELDS);
    const unknown = { is: 'unknown', reason: `its files gave no answer within ${fileLimitMs} ms` } as const;
    const sector: ScannedSector = { minerId, number, upgraded: job.upgraded, sealed: unknown, cache: unknown };
    onResult({ looks: { good: [], doubtful: [sector] }, sectors: 1, callMs: 0 });
    const fresh = this.#addThread();
    // What it had found of this job was not told yet.
    const items = job.items.toSpliced(from, ITEM_FIELDS);
    for (const again of [...(items.length > 0 ? [{ ...job, items }] : []), ...rest]) this.#giveTo(fresh, again);
  }
}
