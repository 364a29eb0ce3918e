import type { Clock } from '../clock/clock.ts';
import { type Database, databaseNow } from '../database/database.ts';
import { isDatabaseTrouble } from '../database/database-errors.ts';
import { errorText } from '../errors/coded-error.ts';
import { adoptTasks } from '../queue/adopt-tasks.ts';
import { archiveTasks } from '../queue/archive-tasks.ts';
import { endLostAttempts, type LeasePolicy } from '../queue/end-lost-attempts.ts';
import type { LeftOut } from '../queue/row-by-row.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DatabaseHealth } from './database-health.ts';
import type { Leader } from './leader.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly health: DatabaseHealth;
  readonly leader: Leader;
}

export interface HousekeepingInit {
  readonly policy: LeasePolicy;
  /** Between looks at all unfinished tasks, for what others changed in the tables. */
  readonly sweepIntervalMs: number;
  readonly archiveIntervalMs: number;
  readonly archiveAfterMs: number;
}

/** Between looks at what is due, in memory. */
const TICK_MS = 1_000;
/** Few enough to leave the other connections to slaves. */
const CANCELLED_AT_ONCE = 8;
/** Of many rows with one trouble, those that a line names. */
const NAMED_ROWS = 10;

/** Does what only time brings about. Idle, it costs three statements for each sweep and none otherwise. */
export class Housekeeping {
  readonly #components: Components;
  readonly #init: HousekeepingInit;
  readonly #stop = new AbortController();
  /** Rows left out, by message. */
  readonly #told = new Map<string, string>();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(components: Components, init: HousekeepingInit) {
    this.#components = components;
    this.#init = init;
  }

  start(): void {
    const { policy, sweepIntervalMs, archiveIntervalMs } = this.#init;
    this.#loops = Promise.all([
      this.#every(TICK_MS, 'close', () => this.#closeExpired()),
      this.#every(sweepIntervalMs, 'sweep', () => this.sweep()),
      this.#every(Math.min(policy.heartbeatTimeoutMs / 3, TICK_MS), 'leases', () => this.#endLost()),
      this.#every(archiveIntervalMs, 'archive', () => this.#archive()),
    ]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }

  /** Brings memory to what the tables say. */
  async sweep(): Promise<void> {
    const { db, health, leader } = this.#components;
    await this.#lookAtClock();
    const { leftOut } = await health.watch(adoptTasks(db));
    this.#tell(leftOut, 'rows of tasks cannot be taken over: correct or delete them');
    await leader.dispatcher.reloadAll();
  }

  /** What nobody can use any more holds no prover: running tasks first. Retries that have become due are dispatched, too. */
  async #closeExpired(): Promise<void> {
    const { health, leader } = this.#components;
    if (health.clock.isDoubtful) await this.#lookAtClock();
    const past = leader.dispatcher.surelyPast();
    const expired = leader.dispatcher
      .tasks()
      .filter(({ closeAt }) => closeAt !== null && closeAt <= past)
      .toSorted((a, b) => b.live.length - a.live.length);
    for (let from = 0; from < expired.length; from += CANCELLED_AT_ONCE) {
      const some = expired.slice(from, from + CANCELLED_AT_ONCE);
      const cancelled = await Promise.all(some.map(({ id }) => leader.expire(id)));
      if (cancelled.includes(false)) await this.#lookAtClock();
    }
    await leader.tick();
  }

  async #lookAtClock(): Promise<void> {
    const { clock, db, health } = this.#components;
    const askedAt = clock.monotonic();
    const query = db.kysely.selectNoFrom(databaseNow.as('now'));
    const { now } = await health.watch(query.executeTakeFirstOrThrow());
    health.observeClock(now, askedAt);
  }

  async #endLost(): Promise<void> {
    const { clock, db, health, leader, logger } = this.#components;
    const { policy } = this.#init;
    if (!leader.dispatcher.hasRunning) return;
    const askedAt = clock.monotonic();
    const mayJudge = (now: number) => {
      health.observeClock(now, askedAt);
      if (health.healthyForMs() >= policy.heartbeatTimeoutMs) return true;
      logger.debug('leases are not judged yet');
      return false;
    };
    const ended = await health.watch(endLostAttempts(db, policy, mayJudge));
    leader.dropAttempts(ended);
    await leader.silent(ended);
    for (const id of new Set(ended.map((attempt) => attempt.id))) await leader.announce(id);
  }

  async #archive(): Promise<void> {
    const { db, health, logger } = this.#components;
    const { archiveAfterMs } = this.#init;
    const { changed: archived, leftOut } = await health.watch(archiveTasks(db, archiveAfterMs, this.#stop.signal));
    if (archived > 0) logger.info({ archived }, 'tasks archived');
    this.#tell(leftOut, 'finished tasks cannot be moved to tasks_archived: correct the rows or the tables');
  }

  /** Once, until the rows are others. */
  #tell(leftOut: readonly LeftOut[], message: string): void {
    const ids = leftOut.map(({ id }) => id);
    const key = ids.join();
    if (key === (this.#told.get(message) ?? '')) return;
    this.#told.set(message, key);
    if (ids.length === 0) return;
    const { logger } = this.#components;
    logger.error({ count: ids.length, ids: ids.slice(0, NAMED_ROWS), error: leftOut[0]?.error }, message);
  }

  async #every(intervalMs: number, what: string, work: () => Promise<void>): Promise<void> {
    const { clock, health, logger } = this.#components;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const before = clock.monotonic();
      try {
        await clock.sleep(intervalMs, signal);
        // We stood still (a stopped process, a suspended machine), and so did the heartbeats.
        if (clock.monotonic() - before > 2 * intervalMs + TICK_MS) health.restart();
        await work();
      } catch (error) {
        if (signal.aborted) return;
        if (isDatabaseTrouble(error)) continue;
        logger.error({ what, error: errorText(error) }, 'housekeeping failed');
      }
    }
  }
}
