import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import type { AttemptId, EndedAttempt, Verdict } from '../queue/attempt.ts';
import { cancelTask } from '../queue/cancel-task.ts';
import { closedAttempts } from '../queue/check-attempts.ts';
import { endAbandonedAttempts } from '../queue/end-abandoned-attempts.ts';
import type { LeasePolicy } from '../queue/end-lost-attempts.ts';
import { type FailureClass, failAttempt } from '../queue/fail-attempt.ts';
import { finishAttempt } from '../queue/finish-attempt.ts';
import { getAttemptTask } from '../queue/get-attempt-task.ts';
import { getTask } from '../queue/get-task.ts';
import { type Heartbeat, recordHeartbeats } from '../queue/record-heartbeats.ts';
import { type Submission, submitTask } from '../queue/submit-task.ts';
import type { TaskView } from '../rpc/methods.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DatabaseHealth } from './database-health.ts';
import { Dispatcher } from './dispatcher.ts';
import { judgeOutput } from './judge-output.ts';
import { SlaveRoster, type SlaveSession } from './slave-roster.ts';

export interface LeaderComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly verifier: Pick<Verifier, 'verify'>;
  readonly health: DatabaseHealth;
}

export interface LeaderInit {
  readonly policy: LeasePolicy;
  /** A task reached another state. */
  readonly onChange: (id: string, state: TaskView['state']) => void;
}

const NOT_TAKEN = { accepted: false } as const;

/**
 * What slaves and submitters ask of the master. Each is a transition in the database first; what is in memory follows it.
 * All throw `database-unavailable` while the database is away: ask again.
 */
export class Leader {
  readonly dispatcher: Dispatcher;
  readonly #components: LeaderComponents;
  readonly #init: LeaderInit;
  readonly #roster = new SlaveRoster();

  constructor(components: LeaderComponents, init: LeaderInit) {
    this.#components = components;
    this.#init = init;
    this.dispatcher = new Dispatcher(
      { ...components, roster: this.#roster, announce: (id) => this.announce(id) },
      init.policy,
    );
  }

  async submit(submission: Submission): Promise<TaskView> {
    const view = await this.#watch(submitTask(this.#components.db, submission));
    if (view.state === 'waiting') await this.announce(view.id);
    return view;
  }

  async get(id: string): Promise<TaskView | null> {
    return await this.#watch(getTask(this.#components.db.kysely, id));
  }

  async cancel(id: string, reason: string): Promise<TaskView | null> {
    const { cancelled, ended } = await this.#watch(cancelTask(this.#components.db, id, reason));
    this.dropAttempts(ended);
    if (cancelled) await this.announce(id);
    return await this.get(id);
  }

  /** A slave came, or came again. Returns the attempts that it must drop. */
  async join(
    session: SlaveSession,
    hello: { readonly slots: number; readonly attempts: readonly AttemptId[] },
  ): Promise<AttemptId[]> {
    const { db, logger } = this.#components;
    const { name } = session;
    const abandoned = await this.#watch(endAbandonedAttempts(db, name, hello.attempts, this.#init.policy));
    const closed = await this.#watch(closedAttempts(db, name, hello.attempts));
    const live = hello.attempts.filter((attempt) => !closed.some((other) => isSame(other, attempt)));
    for (const { id } of abandoned) await this.dispatcher.reload(id);
    // Last, so that hello is answered before the first start is sent: that takes a statement more.
    this.#roster.join(
      session,
      hello.slots,
      live.map(({ id }) => id),
    );
    logger.info({ slave: name, slots: hello.slots, attempts: live.length, closed: closed.length }, 'slave joined');
    this.dispatcher.wake();
    return closed;
  }

  leave(session: SlaveSession): void {
    this.#roster.leave(session);
    this.#components.logger.info({ slave: session.name }, 'slave left');
  }

  async heartbeat(slave: string, beats: readonly Heartbeat[], free: number): Promise<AttemptId[]> {
    this.#roster.tell(slave, { busy: beats.length, free });
    this.dispatcher.wake();
    if (beats.length === 0) return [];
    const closed = await this.#watch(recordHeartbeats(this.#components.db, slave, beats));
    for (const { id } of closed) this.#roster.release(slave, id);
    return closed;
  }

  /** Stores a result that is verified here before. */
  async finish(slave: string, attempt: AttemptId, output: WindowPostOutput): Promise<Verdict> {
    const { db, verifier, logger } = this.#components;
    const found = await this.#watch(getAttemptTask(db, slave, attempt));
    if ('refused' in found) return this.#refuse(slave, attempt, found.refused);
    const objection = await judgeOutput(verifier, found.task, output);
    if (objection !== null) {
      logger.error({ ...attempt, slave, objection }, 'result refused');
      await this.fail(slave, attempt, 'slave', objection);
      return { ...NOT_TAKEN, reason: objection };
    }
    const { accepted, reason, ended } = await this.#watch(finishAttempt(db, attempt, output));
    if (!accepted) return this.#refuse(slave, attempt, reason ?? '');
    this.#roster.succeeded(slave);
    this.#release(slave, attempt);
    this.dropAttempts(ended);
    const at = { ...attempt, slave, minerId: found.task.miner_id, faults: output.faults.length };
    logger.info(at, output.faults.length === 0 ? 'task proven' : 'task found faults');
    await this.announce(attempt.id);
    return { accepted: true, reason: null };
  }

  async fail(
    slave: string,
    attempt: AttemptId,
    failureClass: Exclude<FailureClass, 'lost'>,
    reason: string,
  ): Promise<Verdict> {
    const { db, logger } = this.#components;
    const failure = { class: failureClass, outcome: 'failed', reason } as const;
    const verdict = await this.#watch(failAttempt(db, attempt, failure, this.#init.policy));
    if (!verdict.accepted) return this.#refuse(slave, attempt, verdict.reason ?? '');
    logger.warn({ ...attempt, slave, class: failureClass, reason }, 'attempt failed');
    if (failureClass === 'slave') {
      const until = this.#roster.failed(slave, this.dispatcher.now());
      if (until !== undefined) logger.error({ slave, until }, 'slave is held back after failures in a row');
    }
    this.#release(slave, attempt);
    this.dropAttempts(verdict.ended);
    await this.announce(attempt.id);
    return { accepted: true, reason: null };
  }

  /** Tells the slaves of attempts that others ended. One that cannot be told hears of it with its next heartbeat. */
  dropAttempts(ended: readonly EndedAttempt[]): void {
    for (const { id, attempt, slave, outcome } of ended) {
      this.#components.logger.warn({ id, attempt, slave, outcome }, 'attempt ended');
      this.#release(slave, { id, attempt });
      this.#roster
        .session(slave)
        ?.cancel({ id, attempt }, outcome)
        .catch(() => undefined);
    }
  }

  /** After a task was changed: reads it again and tells its state. */
  async announce(id: string): Promise<void> {
    try {
      await this.dispatcher.reload(id);
      const view = await this.get(id);
      if (view !== null) this.#init.onChange(id, view.state);
    } catch (error) {
      // It is in the database: the sweep reads it, and submitters ask for themselves now and then.
      this.#components.logger.debug({ id, error: errorText(error) }, 'change not told');
    }
  }

  #refuse(slave: string, attempt: AttemptId, reason: string): Verdict {
    this.#components.logger.warn({ ...attempt, slave, reason }, 'result of a closed attempt refused');
    this.#release(slave, attempt);
    return { ...NOT_TAKEN, reason };
  }

  #release(slave: string, { id }: AttemptId): void {
    this.#roster.release(slave, id);
    this.dispatcher.wake();
  }

  async #watch<T>(work: Promise<T>): Promise<T> {
    return await this.#components.health.watch(work);
  }
}

function isSame(a: AttemptId, b: AttemptId): boolean {
  return a.id === b.id && a.attempt === b.attempt;
}
