import type { Clock } from '../clock/clock.ts';
import { errorText } from '../errors/coded-error.ts';
import type { LeasePolicy } from '../queue/end-lost-attempts.ts';
import { findUnfinished, listUnfinished, type UnfinishedTask } from '../queue/list-unfinished.ts';
import type { PreparedSubmission } from '../queue/prepare-submission.ts';
import { windowProofType } from '../queue/window-post-task.ts';
import type { AttemptId } from '../rpc/methods.ts';
import { type Choice, choose, type WaitingGroup } from './choose.ts';
import { LeaseMaker, type LeaseMakerComponents } from './lease-maker.ts';
import { slowTasks } from './slow-tasks.ts';
import { StrandedTasks } from './stranded-tasks.ts';
import { TaskBoard } from './task-board.ts';
import { UsualDurations } from './usual-durations.ts';

interface Components extends LeaseMakerComponents {
  readonly clock: Clock;
  /** Reads a task again (`reload`) and tells whom it concerns; never rejects. */
  readonly announce: (id: string) => Promise<void>;
}

/** After a lease that the database did not let us make. */
const PAUSE_MS = 1_000;
/** By so much our count of the database's clock may be behind it, and a pause that just began seem longer than any. */
const CLOCK_SLACK_MS = 5_000;

/**
 * Applies what `choose` says. The board only proposes: a lease is decided by a conditional update, so a board that is behind
 * costs a statement and nothing else.
 */
export class Dispatcher {
  readonly #components: Components;
  readonly #policy: LeasePolicy;
  readonly #leases: LeaseMaker;
  readonly #stranded: StrandedTasks;
  readonly #board: TaskBoard;
  readonly #usual = new UsualDurations();
  readonly #assigning = new Set<Promise<void>>();
  /** Being submitted, each with a slot of a slave. */
  readonly #reserved = new Set<string>();
  /** Their outcomes are being verified and stored. */
  readonly #delivering = new Set<string>();
  #woken = false;
  #closed = false;

  constructor(components: Components, policy: LeasePolicy) {
    this.#components = components;
    this.#policy = policy;
    this.#board = new TaskBoard({ longestPauseMs: policy.retryIntervalMs + CLOCK_SLACK_MS });
    this.#leases = new LeaseMaker(components, policy);
    this.#stranded = new StrandedTasks(components);
  }

  /** By the database's clock. */
  now(): number {
    return this.#components.health.clock.now();
  }

  /** What has its Close before this is cancelled, and nothing of it started: not before the database's clock and ours agree. */
  surelyPast(): number {
    return this.#components.health.clock.surelyPast();
  }

  tasks(): UnfinishedTask[] {
    return this.#board.tasks();
  }

  get(id: string): UnfinishedTask | undefined {
    return this.#board.get(id);
  }

  get hasRunning(): boolean {
    return this.#board.inProofOf.size > 0;
  }

  /** Whether memory knows an attempt as a slave's live one. False says nothing: the database knows. */
  isLive(slave: string, { id, attempt }: AttemptId): boolean {
    return this.#board.get(id)?.live.some((live) => live.attempt === attempt && live.slave === slave) ?? false;
  }

  /** Whether memory knows that a task is finished or gone. */
  isFinished(id: string): boolean {
    return this.#board.isGone(id);
  }

  /** Something changed: a slot, a task, or the time. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#dispatch();
    });
  }

  /**
   * A slot for a task that is being submitted: where one is free that nothing else waits for, the lease is made with the task's
   * row, which saves a commit. Whoever does not need it `release`s it.
   */
  reserve(task: PreparedSubmission): string | null {
    const { roster } = this.#components;
    if (this.#closed || this.#board.get(task.id) !== undefined || this.#reserved.has(task.id)) return null;
    this.#dispatch();
    const now = this.now();
    const free = roster.free(now);
    if (free.length === 0) return null;
    const group = { ...asWaiting(task, now), sectorSize: sectorSizeOf(task), isBarred: false };
    const [choice] = choose([[{ ...group, tasks: [group] }]], free, this.#facts(now));
    if (choice === undefined) return null;
    this.#reserved.add(task.id);
    roster.take(choice.slave, task.id);
    return choice.slave;
  }

  release(slave: string, id: string): void {
    this.#reserved.delete(id);
    this.#components.roster.release(slave, id);
    this.wake();
  }

  /** A task that was not known before, with its row committed, and its first lease where a slot was reserved. */
  add(submission: PreparedSubmission, queuedAt: number, slave: string | null): void {
    const { id } = submission;
    const task = asWaiting(submission, queuedAt);
    this.#board.put(id, this.#board.look(), task, this.now());
    this.#reserved.delete(id);
    if (slave === null) this.wake();
    else {
      this.#started({ id, attempt: 1 }, slave);
      this.#keep(this.#hand(task, { id, attempt: 1 }, slave));
    }
  }

  /** An attempt has ended, and its task goes on with another one, or (`finished`) does not. */
  ended({ id, attempt }: AttemptId, task: 'goes on' | 'finished'): void {
    this.#board.change(id, this.now(), (before) =>
      task === 'finished' ? undefined : { ...before, live: before.live.filter((live) => live.attempt !== attempt) },
    );
  }

  /** From the arrival of an outcome until it is stored nobody need compete with it. */
  async whileDelivering<T>({ id }: AttemptId, work: () => Promise<T>): Promise<T> {
    this.#delivering.add(id);
    try {
      return await work();
    } finally {
      this.#delivering.delete(id);
    }
  }

  isDelivering(id: string): boolean {
    return this.#delivering.has(id);
  }

  /** A proof of a live attempt was verified: so long they take. */
  proven(slave: string, { id, attempt }: AttemptId): void {
    const task = this.#board.get(id);
    const live = task?.live.find((candidate) => candidate.attempt === attempt && candidate.slave === slave);
    if (task !== undefined && live !== undefined) this.#usual.record(task.proofType, this.now() - live.startedAt);
  }

  /** Reads one task again, where what was done to it is not known. */
  async reload(id: string): Promise<void> {
    const { db, health } = this.#components;
    const seen = this.#board.look();
    this.#board.put(id, seen, await health.watch(findUnfinished(db, id)), this.now());
    this.wake();
  }

  /** Reads all tasks again: at the start, and now and then for what others changed. */
  async reloadAll(): Promise<void> {
    const { db, health } = this.#components;
    const seen = this.#board.look();
    this.#board.putAll(seen, await health.watch(listUnfinished(db)), this.now());
    this.wake();
  }

  /** Gives slow tasks to slaves that nothing waits for. */
  compete(): void {
    const { roster } = this.#components;
    this.#dispatch();
    const now = this.now();
    this.#stranded.look(this.#board.tiers(now), roster.sessions());
    const facts = {
      now,
      timeoutMs: this.#policy.progressTimeoutMs,
      usualMs: ({ proofType }: UnfinishedTask) => this.#usual.of(proofType),
      leftAt: (slave: string) => roster.leftAt(slave),
    };
    for (const task of slowTasks(this.#board.running(), facts)) {
      if (this.#board.isAssigned(task.id) || this.#delivering.has(task.id)) continue;
      const idle = roster.free(now).filter((slave) => !roster.works(slave.name, task.id));
      if (idle.length === 0) continue;
      const group = { ...task, sectorSize: sectorSizeOf(task), isBarred: true, tasks: [task] };
      this.#take([[group]], idle, now);
    }
  }

  /** Starts nothing more, and waits for leases being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#assigning);
  }

  #dispatch(): void {
    const now = this.now();
    if (this.#board.waitingCount === 0) return;
    const free = this.#components.roster.free(now);
    if (free.length > 0) this.#take(this.#board.tiers(now), free, now);
  }

  /** What is chosen is taken before anything is awaited, so that the next round sees it. */
  #take(tiers: Iterable<readonly WaitingGroup[]>, free: Parameters<typeof choose>[1], now: number): void {
    if (this.#closed) return;
    for (const choice of choose(tiers, free, this.#facts(now))) {
      this.#components.roster.take(choice.slave, choice.id);
      this.#board.assign(choice.id, now);
      this.#keep(this.#assign(choice));
    }
  }

  #facts(now: number): Parameters<typeof choose>[2] {
    return { now, surelyPast: this.surelyPast(), running: this.#board.inProofOf };
  }

  #keep(assigning: Promise<void>): void {
    const assigned = assigning.finally(() => this.#assigning.delete(assigned));
    this.#assigning.add(assigned);
  }

  async #assign({ id, slave }: Choice): Promise<void> {
    const { announce, roster } = this.#components;
    const task = this.#board.get(id);
    try {
      const attempt = task === undefined ? null : await this.#leases.make(task, slave);
      if (task !== undefined && attempt !== null) {
        this.#started(attempt, slave);
        return await this.#hand(task, attempt, slave);
      }
      roster.release(slave, id);
    } catch (error) {
      await this.#pauseAfter(error, id, slave);
    }
    this.#board.unassign(id, this.now());
    await announce(id);
  }

  /** A lease that is in the database goes to its slave. */
  async #hand(task: UnfinishedTask, attempt: AttemptId, slave: string): Promise<void> {
    let isKnown = false;
    try {
      isKnown = await this.#leases.give(task, attempt, slave);
    } catch (error) {
      await this.#pauseAfter(error, task.id, slave);
    }
    if (isKnown) this.wake();
    else await this.#components.announce(task.id);
  }

  async #pauseAfter(error: unknown, id: string, slave: string): Promise<void> {
    const { clock, logger, roster } = this.#components;
    roster.release(slave, id);
    logger.warn({ id, slave, error: errorText(error) }, 'lease failed');
    await clock.sleep(PAUSE_MS);
  }

  #started({ id, attempt }: AttemptId, slave: string): void {
    const startedAt = this.now();
    this.#board.change(id, startedAt, (task) => ({
      ...task,
      lastAttempt: attempt,
      lastSlave: slave,
      live: [...task.live, { attempt, slave, startedAt }],
    }));
    this.#board.unassign(id, startedAt);
  }
}

function asWaiting({ body: _, ...facts }: PreparedSubmission, queuedAt: number): UnfinishedTask {
  return { ...facts, queuedAt, retryAt: 0, retryElsewhere: false, lastAttempt: 0, lastSlave: null, live: [] };
}

function sectorSizeOf({ proofType }: Pick<UnfinishedTask, 'proofType'>): number {
  return windowProofType(proofType)?.sectorSize ?? 0;
}
