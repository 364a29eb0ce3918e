import type { Clock } from '../clock/clock.ts';
import { Gate } from '../clock/gate.ts';
import { retry } from '../clock/retry.ts';
import type { Database } from '../database/database.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import { WITHDRAWN } from '../queue/task-state.ts';
import { canonicalTask, taskId } from '../queue/window-post-task.ts';
import type { WindowPostOutput, WindowPostTask } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type BatchChunk, isUnfinished, learn, unaskedChunk } from './batch-chunk.ts';
import { type BatchFault, decideBatch } from './decide-batch.ts';
import { isPassing } from './is-passing.ts';
import { joinOutputs } from './join-outputs.ts';
import type { Leader } from './leader.ts';
import type { TaskWaits } from './task-waits.ts';

export interface BatchComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly leader: Pick<Leader, 'submit' | 'get' | 'cancel'>;
  readonly verifier: Pick<Verifier, 'verifyTask'>;
  /** Told of every change that the leader makes. */
  readonly waits: TaskWaits;
  /** Whether a submitter wants a task. */
  readonly isWanted: (id: string) => boolean;
  /** By the database's clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly policy: BatchPolicy;
}

export interface BatchPolicy {
  /** From the first request for a challenge to its deadline's Close, where the requester does not tell it. */
  readonly assumedCloseMs: number;
  /** Before a chunk is submitted again. */
  readonly retryIntervalMs: number;
  /** How long before Close unknown sectors are given up when so many proofs are still to make then: `batchReserveMs`. */
  readonly reserveMs: (proofs: number) => number;
}

/** Phases are in no message; a change that could not be told is seen then, too. */
const LOOK_MS = 1_000;
const VERIFY_PAUSE_MS = 500;
interface Part {
  readonly id: string;
  readonly task: WindowPostTask;
  chunk: BatchChunk;
  /** It changed since it was read. */
  isStale: boolean;
  readonly unwatch: () => void;
}

/** A request that is being answered: carries out what `decideBatch` says. */
export class Batch {
  readonly #components: BatchComponents;
  readonly #task: WindowPostTask;
  readonly #parts: readonly Part[];
  readonly #closeAt: number;
  readonly #signal: AbortSignal;
  readonly #gate: Gate;
  readonly #wake = (): void => this.#gate.open();

  constructor(
    components: BatchComponents,
    init: {
      readonly task: WindowPostTask;
      /** What it was cut into. */
      readonly chunks: readonly WindowPostTask[];
      readonly closeAt: number;
      readonly signal: AbortSignal;
    },
  ) {
    this.#components = components;
    this.#closeAt = init.closeAt;
    this.#signal = init.signal;
    this.#gate = new Gate(components);
    this.#task = init.task;
    this.#parts = init.chunks.map((task) => this.#open(task));
    this.#signal.addEventListener('abort', this.#wake);
  }

  async run(): Promise<WindowPostOutput> {
    const { now, policy } = this.#components;
    for (;;) {
      this.#signal.throwIfAborted();
      await this.#look();
      const chunks = this.#parts.map(({ chunk }) => chunk);
      const facts = { now: now(), closeAt: this.#closeAt, reserveMs: policy.reserveMs };
      const decision = decideBatch(chunks, facts);
      if (decision.kind === 'join') return await this.#join();
      await Promise.all(this.#named(decision.needless).map((part) => this.#drop(part)));
      if (decision.kind === 'refuse') throw decision.error;
      if (decision.kind === 'tell') return this.#tell(decision.faults);
      await Promise.all(this.#named(decision.submit).map((part) => this.#submit(part)));
      if (decision.submit.length === 0) await this.#wait(decision.dueAt - facts.now);
    }
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#wake);
    for (const { unwatch } of this.#parts) unwatch();
  }

  #open(task: WindowPostTask): Part {
    const id = taskId(canonicalTask(task));
    const sectors = task.replicas.map((replica) => replica.sector_id);
    const unwatch = this.#components.waits.watch(id, () => {
      part.isStale = true;
      this.#wake();
    });
    const part: Part = { id, task, chunk: unaskedChunk(sectors), isStale: false, unwatch };
    return part;
  }

  #named(indices: readonly number[]): Part[] {
    return indices.flatMap((index) => this.#parts[index] ?? []);
  }

  /** Changes that come while it reads open the gate again. */
  async #look(): Promise<void> {
    this.#gate.shut();
    const stale = this.#parts.filter(({ isStale, chunk }) => isStale && isUnfinished(chunk));
    for (const part of stale) part.isStale = false;
    await Promise.all(
      stale.map(async (part) => {
        const view = await this.#ask(part, this.#components.leader.get(part.id));
        if (view !== undefined) part.chunk = learn(part.chunk, view, this.#pausedUntil());
      }),
    );
  }

  async #wait(limitMs: number): Promise<void> {
    if (await this.#gate.wait(Math.min(LOOK_MS, limitMs))) return;
    for (const part of this.#parts) part.isStale = true;
  }

  async #submit(part: Part): Promise<void> {
    const { leader, logger } = this.#components;
    const { id, task, chunk } = part;
    if (chunk.state !== 'unasked') {
      const why = { unknown: chunk.unknown.size, failure: chunk.failure };
      logger.warn({ id, minerId: task.miner_id, ...why }, 'chunk is submitted again');
    }
    const view = await this.#ask(part, leader.submit({ task, closeAt: this.#closeAt }));
    part.chunk =
      view === undefined ? { ...chunk, submitAt: this.#pausedUntil() } : learn(part.chunk, view, this.#pausedUntil());
  }

  /** Not while anybody else waits for it. */
  async #drop(part: Part): Promise<void> {
    const { isWanted, leader, waits } = this.#components;
    if (waits.watchers(part.id) > 1 || isWanted(part.id)) return;
    const view = await this.#ask(part, leader.cancel(part.id, `${WITHDRAWN}its request needs it no more`));
    if (view !== undefined) part.chunk = { ...part.chunk, state: 'dropped' };
  }

  async #join(): Promise<WindowPostOutput> {
    const { clock, logger, now, verifier } = this.#components;
    const { miner_id: minerId } = this.#task;
    const output = joinOutputs(this.#parts.flatMap(({ chunk }) => chunk.output ?? []));
    const whole = canonicalTask(this.#task);
    const proof = Buffer.from(output.proofs[0] ?? '', 'base64');
    const { valid, reason } = await retry(
      clock,
      {
        pauseMs: VERIFY_PAUSE_MS,
        maxPauseMs: VERIFY_PAUSE_MS,
        signal: this.#signal,
        isTransient: () => now() < this.#closeAt,
        onFailure: (error) => logger.error({ minerId, error: errorText(error) }, 'joined proof not verified yet'),
      },
      () => verifier.verifyTask(whole, proof),
    );
    const chunks = this.#parts.length;
    if (valid) {
      logger.info({ minerId, chunks, leftMs: this.#closeAt - now() }, 'batch proven');
      return output;
    }
    const proofs = `the proofs of ${chunks} chunks of miner ${minerId}, each valid alone,`;
    throw new CodedError('invalid-proof', `${proofs} do not verify together: ${reason ?? 'no reason given'}`);
  }

  #tell(faults: readonly BatchFault[]): WindowPostOutput {
    const { miner_id: minerId } = this.#task;
    const unknown = faults.filter((fault) => fault.class === 'unknown');
    if (unknown.length > 0) {
      const [example] = unknown;
      const about = { minerId, sectors: unknown.length, sector: example?.sector, reason: example?.reason };
      this.#components.logger.error(about, 'sectors that cannot be read are given up, the deadline closes soon');
    }
    this.#components.logger.warn({ minerId, faults: faults.length, unknown: unknown.length }, 'batch found faults');
    return {
      proofs: [],
      faults: faults.map(({ sector }) => sector),
      details: faults.map(({ sector, class: kind, reason }) => ({ sector_id: sector, class: kind, reason })),
    };
  }

  #pausedUntil(): number {
    return this.#components.now() + this.#components.policy.retryIntervalMs;
  }

  /** undefined while the leader cannot say. */
  async #ask<T>(part: Part, answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#components.logger.debug({ id: part.id, error: errorText(error) }, 'batch: not answered yet');
      part.isStale = true;
      return undefined;
    }
  }
}
