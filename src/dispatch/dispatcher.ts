import type { Clock } from '../clock/clock.ts';
import { errorText } from '../errors/coded-error.ts';
import type { LeasePolicy } from '../queue/end-lost-attempts.ts';
import { findUnfinished, listUnfinished, type UnfinishedTask } from '../queue/list-unfinished.ts';
import { windowProofType } from '../queue/window-post-task.ts';
import type { AttemptId, TaskView } from '../rpc/methods.ts';
import { type Choice, choose, type WaitingGroup } from './choose.ts';
import { LeaseMaker, type LeaseMakerComponents } from './lease-maker.ts';
import { slowTasks } from './slow-tasks.ts';
import { StrandedTasks } from './stranded-tasks.ts';
import { TaskBoard } from './task-board.ts';
import { UsualDurations } from './usual-durations.ts';

interface Components extends LeaseMakerComponents {
  readonly clock: Clock;
  /** A task reached another state. */
  readonly tell: (id: string, state: TaskView['state']) => void;
  /** Reads a task again (`reload`) and tells whom it concerns; never rejects. */
  readonly announce: (id: string) => Promise<void>;
}

/** After a lease that the database did not let us make. */
const PAUSE_MS = 1_000;

/**
 * Applies what `choose` says. The board only proposes: a lease is decided by a conditional update, so a board that is behind
 * costs a statement and nothing else.
 */
export class Dispatcher {
  readonly #components: Components;
  readonly #policy: LeasePolicy;
  readonly #leases: LeaseMaker;
  readonly #stranded: StrandedTasks;
  readonly #board = new TaskBoard();
  readonly #usual = new UsualDurations();
  readonly #assigning = new Set<Promise<void>>();
  /** Their outcomes are being verified and stored. */
  readonly #delivering = new Set<string>();
  #woken = false;
  #closed = false;
  /** The database's clock less ours, in milliseconds. */
  #clockOffset = 0;

  constructor(components: Components, policy: LeasePolicy) {
    this.#components = components;
    this.#policy = policy;
    this.#leases = new LeaseMaker(components, policy);
    this.#stranded = new StrandedTasks(components);
  }

  /** By the database's clock. */
  now(): number {
    return this.#components.clock.now() + this.#clockOffset;
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

  /** A task that was not known before. */
  add(task: UnfinishedTask): void {
    this.#board.put(task.id, this.#board.look(), task, this.now());
    this.wake();
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
    const { clock, db, health } = this.#components;
    const seen = this.#board.look();
    const { tasks, now } = await health.watch(listUnfinished(db));
    this.#clockOffset = now - clock.now();
    this.#board.putAll(seen, tasks, this.now());
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
    for (const choice of choose(tiers, free, { now, running: this.#board.inProofOf })) {
      this.#components.roster.take(choice.slave, choice.id);
      this.#board.assign(choice.id, now);
      const assigned = this.#assign(choice).finally(() => this.#assigning.delete(assigned));
      this.#assigning.add(assigned);
    }
  }

  async #assign({ id, slave }: Choice): Promise<void> {
    const { announce, clock, logger, roster } = this.#components;
    let isKnown = false;
    try {
      const task = this.#board.get(id);
      const session = roster.session(slave);
      if (task === undefined || session === undefined) return roster.release(slave, id);
      const attempt = await this.#leases.make(task, slave);
      if (attempt === null) roster.release(slave, id);
      else {
        this.#started(attempt, slave);
        isKnown = await this.#leases.give(task, attempt, session);
      }
    } catch (error) {
      roster.release(slave, id);
      logger.warn({ id, slave, error: errorText(error) }, 'lease failed');
      await clock.sleep(PAUSE_MS);
    } finally {
      this.#board.unassign(id, this.now());
      if (isKnown) this.wake();
      else await announce(id);
    }
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
    this.#components.tell(id, 'running');
  }
}

function sectorSizeOf({ proofType }: UnfinishedTask): number {
  return windowProofType(proofType)?.sectorSize ?? 0;
}
