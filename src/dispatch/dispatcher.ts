import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { LeasePolicy } from '../queue/end-lost-attempts.ts';
import { type Failure, failAttempt } from '../queue/fail-attempt.ts';
import { findUnfinished, listUnfinished, type UnfinishedTask } from '../queue/list-unfinished.ts';
import { type StartedAttempt, startAttempt } from '../queue/start-attempt.ts';
import { decodeTask, windowProofType } from '../queue/window-post-task.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Choice, choose, type WaitingTask } from './choose.ts';
import type { DatabaseHealth } from './database-health.ts';
import type { SlaveRoster, SlaveSession } from './slave-roster.ts';
import { TaskBoard } from './task-board.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly health: DatabaseHealth;
  readonly roster: SlaveRoster;
  /** Reads a task again (`reload`) and tells whom it concerns; never rejects. */
  readonly announce: (id: string) => Promise<void>;
}

/** The slave may be at work: its next hello or heartbeat says so, or its silence ends the lease. */
const MAYBE_TAKEN = new Set(['connection-lost', 'time-limit']);

/** After a lease that the database did not let us make. */
const PAUSE_MS = 1_000;

/**
 * Applies what `choose` says. The board only proposes: a lease is decided by a conditional update, so a board that is behind
 * costs a statement and nothing else.
 */
export class Dispatcher {
  readonly #components: Components;
  readonly #policy: LeasePolicy;
  readonly #board = new TaskBoard();
  readonly #assigning = new Map<string, Promise<void>>();
  #woken = false;
  #closed = false;
  /** The database's clock less ours, in milliseconds. */
  #clockOffset = 0;

  constructor(components: Components, policy: LeasePolicy) {
    this.#components = components;
    this.#policy = policy;
  }

  /** By the database's clock. */
  now(): number {
    return this.#components.clock.now() + this.#clockOffset;
  }

  tasks(): UnfinishedTask[] {
    return this.#board.tasks();
  }

  /** Something changed: a slot, a task, or the time. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      if (!this.#closed) this.#dispatch();
    });
  }

  /** Reads one task again, after anything was done to it. */
  async reload(id: string): Promise<void> {
    const { db, health } = this.#components;
    const seen = this.#board.look();
    this.#board.put(id, seen, await health.watch(findUnfinished(db, id)));
    this.wake();
  }

  /** Reads all tasks again: at the start, and now and then for what others changed. */
  async reloadAll(): Promise<void> {
    const { clock, db, health } = this.#components;
    const seen = this.#board.look();
    const { tasks, now } = await health.watch(listUnfinished(db));
    this.#clockOffset = now - clock.now();
    this.#board.putAll(seen, tasks);
    this.wake();
  }

  /** Starts nothing more, and waits for leases being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#assigning.values());
  }

  #dispatch(): void {
    const { roster } = this.#components;
    const now = this.now();
    if (roster.free(now).length === 0) return;
    const tasks = this.#board.tasks();
    const isRunning = (task: UnfinishedTask) => task.startedAt !== null || this.#assigning.has(task.id);
    const running = new Map<number, number>();
    for (const task of tasks.filter(isRunning)) running.set(task.minerId, (running.get(task.minerId) ?? 0) + 1);
    const waiting = tasks.filter((task) => !isRunning(task)).flatMap(toWaiting);
    for (const choice of choose(waiting, roster.free(now), { now, running })) this.#take(choice);
    for (const task of this.#slow(tasks, now)) {
      const idle = roster.free(now).filter((slave) => !roster.works(slave.name, task.id));
      for (const choice of choose([task], idle, { now, running })) this.#take(choice);
    }
  }

  /** Tasks whose newest attempt goes on for long: it may be a slow or sick slave, and another has nothing better to do. */
  #slow(tasks: readonly UnfinishedTask[], now: number): WaitingTask[] {
    const since = now - this.#policy.progressTimeoutMs;
    return tasks
      .filter(({ id, startedAt }) => startedAt !== null && startedAt < since && !this.#assigning.has(id))
      .flatMap(toWaiting)
      .map((task) => ({ ...task, retryAt: 0 }));
  }

  /** Taken before anything is awaited, so that the next round sees it. */
  #take(choice: Choice): void {
    this.#components.roster.take(choice.slave, choice.id);
    const assigned = this.#assign(choice).finally(() => this.#assigning.delete(choice.id));
    this.#assigning.set(choice.id, assigned);
  }

  async #assign({ id, slave }: Choice): Promise<void> {
    const { clock, db, health, logger, roster } = this.#components;
    try {
      const task = this.#board.get(id);
      const session = roster.session(slave);
      if (task === undefined || session === undefined) return;
      const lease = { id, slave, lastAttempt: task.lastAttempt };
      const started = await health.watch(startAttempt(db, lease));
      if (started === null) {
        roster.release(slave, id);
        return;
      }
      const failure = await this.#send(session, started);
      if (failure === undefined) return;
      roster.release(slave, id);
      await health.watch(failAttempt(db, started, failure, this.#policy));
    } catch (error) {
      roster.release(slave, id);
      logger.warn({ id, slave, error: errorText(error) }, 'lease failed');
      await clock.sleep(PAUSE_MS);
    } finally {
      await this.#components.announce(id);
    }
  }

  /** Gives a lease to its slave; what keeps it from that, if anything. */
  async #send(session: SlaveSession, { id, attempt, closeAt, body }: StartedAttempt): Promise<Failure | undefined> {
    const { logger, roster } = this.#components;
    const at = { id, attempt, slave: session.name };
    let task: WindowPostTask;
    try {
      task = decodeTask(body);
    } catch (error) {
      logger.error({ ...at, error: errorText(error) }, 'body of a task cannot be read');
      return { class: 'permanent', outcome: 'failed', reason: `bad-task: ${errorText(error)}` };
    }
    try {
      const { accepted, reason } = await session.start({ id, attempt, closeAt, task });
      if (accepted) {
        logger.info({ ...at, minerId: task.miner_id, closeAt }, 'task leased');
        return undefined;
      }
      throw new CodedError('lease-refused', reason ?? 'no reason given');
    } catch (error) {
      if (MAYBE_TAKEN.has(errorCode(error) ?? '')) {
        logger.warn({ ...at, reason: errorText(error) }, 'slave may have taken the task');
        return undefined;
      }
      logger.warn({ ...at, reason: errorText(error) }, 'slave did not take the task');
      roster.refuse(session.name);
      return { class: 'lost', outcome: 'lost', reason: `not taken: ${errorText(error)}` };
    }
  }
}

function toWaiting(task: UnfinishedTask): WaitingTask[] {
  const type = windowProofType(task.proofType);
  return type === undefined ? [] : [{ ...task, sectorSize: type.sectorSize }];
}
