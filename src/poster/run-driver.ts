import type { TipSet } from '../chain/tipset.ts';
import { CoalescedLoop } from '../clock/coalesced-loop.ts';
import { errorCode } from '../errors/coded-error.ts';
import type { Action } from './actions.ts';
import { carryOut, type Setting } from './carry-out.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { decide } from './decide.ts';
import type { Facts, PostPolicy } from './facts.ts';
import { gatherFacts, type Memory } from './gather-facts.ts';
import { HeadFacts } from './head-facts.ts';
import { pauseUntil } from './reserve.ts';
import type { Run } from './run.ts';
import { runState } from './run-state.ts';
import { readRun, storeRunState } from './run-store.ts';
import { SectorBook } from './sector-book.ts';
import { tellState } from './tell-state.ts';

const RETRY_MS = 2_000;

interface DriverInit {
  readonly runId: number;
  readonly miner: MinerSettings;
  readonly policy: PostPolicy;
  readonly signal: AbortSignal;
  readonly inOrder: Setting['inOrder'];
}

/**
 * Drives one run in a loop of its own: reads the rows, gathers facts, decides, and starts what was decided. Actions of different
 * partitions run side by side, so a slow or failing one delays nobody; a partition with an action under way gets no second one.
 */
export class RunDriver {
  readonly #components: PosterComponents;
  readonly #init: DriverInit;
  readonly #loop: CoalescedLoop;
  readonly #memory: Memory = {
    checks: new Map(),
    pausedUntil: new Map(),
    failures: new Map(),
    looksAgain: new Map(),
    tasks: new Map(),
  };
  readonly #busy = new Set<number>();
  /** Partitions whose action ended since the rows were last read: what was read of them may be stale. */
  readonly #changed = new Set<number>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #book: SectorBook;
  /** Aborted at Close; another one where the head goes back below it. */
  #closed = new AbortController();
  #signal: AbortSignal;
  #atHead: HeadFacts | undefined;
  /** Tasks may have changed. */
  #askAgain = true;
  #callOffRetry: (() => void) | undefined;

  constructor(components: PosterComponents, init: DriverInit) {
    this.#components = components;
    this.#init = init;
    this.#book = new SectorBook(components, { miner: init.miner.address });
    this.#signal = AbortSignal.any([init.signal, this.#closed.signal]);
    const { minerId } = init.miner;
    this.#loop = new CoalescedLoop(components, {
      retryMs: RETRY_MS,
      onFailure: (err) => components.logger.warn({ err, minerId }, 'advancing a run failed, trying again'),
      work: () => this.#advance(),
    });
  }

  /** A new head, or what the run waits for may have changed. */
  wake(head: TipSet): void {
    if (this.#atHead?.head !== head) this.#atHead = new HeadFacts(this.#components, { head });
    this.#askAgain = true;
    this.#loop.wake();
  }

  async close(): Promise<void> {
    this.#callOffRetry?.();
    await this.#loop.close();
    await Promise.all(this.#underWay);
  }

  async #advance(): Promise<void> {
    const atHead = this.#atHead;
    if (atHead === undefined || this.#init.signal.aborted) return;
    if (this.#askAgain) this.#memory.tasks.clear();
    this.#askAgain = false;
    this.#changed.clear();
    const run = await readRun(this.#components.db, this.#init.runId);
    if (run === undefined) return;
    // Checks and reads under way would hold back the end.
    if (atHead.head.height >= run.close) this.#closed.abort();
    else if (this.#closed.signal.aborted) this.#reopen();
    const { facts, isComplete } = await gatherFacts(this.#components, run, this.#memory, atHead);
    if (!isComplete) this.#retrySoon();
    await this.#judge(run, facts);
    for (const action of decide(run, facts, this.#init.policy)) {
      const touched = partitionsOf(action, run);
      if (touched.some((index) => this.#busy.has(index) || this.#changed.has(index))) continue;
      for (const index of touched) this.#busy.add(index);
      const work = this.#start(action, run, facts, atHead.head, touched);
      this.#underWay.add(work);
      work.finally(() => this.#underWay.delete(work));
    }
  }

  #reopen(): void {
    this.#closed = new AbortController();
    this.#signal = AbortSignal.any([this.#init.signal, this.#closed.signal]);
  }

  /** Stores and tells whether the run is on schedule. */
  async #judge(run: Run, facts: Facts): Promise<void> {
    const { alerts, db, logger } = this.#components;
    const judged = runState(run, facts, this.#init.policy);
    tellState(alerts, run, judged);
    if (judged.state === run.state) return;
    await storeRunState(db, run.id, judged);
    const { minerId, deadline, state: before } = run;
    const level = judged.state === 'ok' ? 'info' : 'warn';
    logger[level]({ minerId, deadline, height: facts.height, ...judged, before }, 'window post schedule changed');
  }

  async #start(action: Action, run: Run, facts: Facts, head: TipSet, touched: readonly number[]): Promise<void> {
    const { miner, inOrder } = this.#init;
    const signal = this.#signal;
    const pause = (index: number) => {
      const failures = (this.#memory.failures.get(index) ?? 0) + 1;
      this.#memory.failures.set(index, failures);
      this.#memory.pausedUntil.set(index, pauseUntil(run, facts.pace, head.height, failures));
    };
    try {
      await carryOut(this.#components, action, {
        miner,
        run,
        memory: this.#memory,
        head,
        signal,
        heightNow: () => this.#atHead?.head.height ?? head.height,
        book: this.#book,
        pause,
        inOrder,
      });
      this.#end(touched);
      this.#loop.wake();
    } catch (err) {
      this.#end(touched);
      this.#retrySoon();
      if (signal.aborted && err === signal.reason) return;
      const at = { minerId: run.minerId, deadline: run.deadline, action: action.kind, partitions: touched };
      // What another manager did is in the rows, which are read next.
      if (errorCode(err) === 'stale-run' || errorCode(err) === 'not-leading') {
        this.#components.logger.info({ ...at, err }, 'another manager was first');
        return;
      }
      for (const index of touched) pause(index);
      this.#components.logger.error({ ...at, err }, 'window post step failed');
    }
  }

  #end(touched: readonly number[]): void {
    for (const index of touched) {
      this.#busy.delete(index);
      this.#changed.add(index);
    }
  }

  #retrySoon(): void {
    if (this.#init.signal.aborted) return;
    this.#callOffRetry?.();
    this.#callOffRetry = this.#components.clock.after(RETRY_MS, () => this.#loop.wake());
  }
}

function partitionsOf(action: Action, run: Run): readonly number[] {
  switch (action.kind) {
    case 'restart':
    case 'close':
      return run.partitions.map((partition) => partition.index);
    case 'submit':
      return action.partitions;
    default:
      return [action.partition];
  }
}
