import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import type { EndedAttempt } from '../queue/attempt.ts';
import { cancelTask, closeTask } from '../queue/cancel-task.ts';
import type { LeasePolicy } from '../queue/end-lost-attempts.ts';
import { type Failure, failAttempt } from '../queue/fail-attempt.ts';
import type { FinishVerdict } from '../queue/finish-attempt.ts';
import { type Finish, finishAttempts } from '../queue/finish-attempts.ts';
import { getAttemptBody } from '../queue/get-attempt-body.ts';
import { getTask } from '../queue/get-task.ts';
import { nameCopies } from '../queue/name-copies.ts';
import { prepareSubmission, type Submission } from '../queue/prepare-submission.ts';
import { type Refusal, refuseProof } from '../queue/refuse-proof.ts';
import { type SubmissionForSlave, type Submitted, submitTasks } from '../queue/submit-tasks.ts';
import type { AttemptId, FailureClass, Heartbeat, SlaveReport, TaskView, Verdict } from '../rpc/methods.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BodyCache } from './body-cache.ts';
import type { DatabaseHealth } from './database-health.ts';
import { Dispatcher } from './dispatcher.ts';
import { HeartbeatBook } from './heartbeat-book.ts';
import { judgeOutput } from './judge-output.ts';
import { SlaveDesk } from './slave-desk.ts';
import { SlaveRoster, type SlaveSession } from './slave-roster.ts';

export interface LeaderComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
  readonly verifier: Pick<Verifier, 'verifyTask'>;
  readonly health: DatabaseHealth;
}

export interface LeaderInit {
  readonly policy: LeasePolicy;
  /** A task is finished, or something else but a lease was done to it. */
  readonly onChange: (id: string, state: TaskView['state']) => void;
}

const NOT_TAKEN = { accepted: false } as const;
const MAX_AT_ONCE = 64;
const MAX_BYTES_AT_ONCE = 4 * 2 ** 20;
/** An attempt that is in its SNARK for so many times task.timeout hangs, whatever it tells of. */
const LONGEST_SNARK = 4;

/**
 * What slaves and submitters ask of the master. Each is a transition in the database first; what is in memory follows it.
 * All throw `database-unavailable` while the database is away: ask again.
 */
export class Leader {
  readonly dispatcher: Dispatcher;
  readonly #components: LeaderComponents;
  readonly #init: LeaderInit;
  readonly #roster = new SlaveRoster();
  readonly #desk: SlaveDesk;
  readonly #bodies: BodyCache;
  readonly #heartbeats: HeartbeatBook;
  readonly #submissions: GroupCommit<SubmissionForSlave, Submitted>;
  readonly #finishes: GroupCommit<Finish, FinishVerdict>;

  constructor(components: LeaderComponents, init: LeaderInit) {
    const { db, health } = components;
    this.#components = components;
    this.#init = init;
    this.#desk = new SlaveDesk({ ...components, roster: this.#roster });
    this.#bodies = new BodyCache(components);
    this.dispatcher = new Dispatcher(
      {
        ...components,
        roster: this.#roster,
        bodies: this.#bodies,
        announce: (id) => this.announce(id),
      },
      init.policy,
    );
    this.#heartbeats = new HeartbeatBook(components, {
      ...init.policy,
      isLive: (slave, attempt) => this.dispatcher.isLive(slave, attempt),
      isFinished: (id) => this.dispatcher.isFinished(id),
      onClosed: (slave, { id, attempt }) => {
        // Its own outcome may have been what ended it.
        if (this.dispatcher.isDelivering(id)) return;
        this.dropAttempts([{ id, attempt, slave, outcome: 'lost' }]);
        void this.announce(id);
      },
    });
    this.#submissions = new GroupCommit({
      maxItems: MAX_AT_ONCE,
      maxBytes: MAX_BYTES_AT_ONCE,
      bytesOf: ({ task }) => task.body.length,
      run: (submissions) => health.watch(submitTasks(db, submissions)),
    });
    this.#finishes = new GroupCommit({
      maxItems: MAX_AT_ONCE,
      run: (finishes) => health.watch(finishAttempts(db, finishes)),
    });
  }

  async submit(submission: Submission): Promise<TaskView> {
    const task = prepareSubmission(submission);
    const slave = this.dispatcher.reserve(task);
    let isTaken = false;
    try {
      const { view, queuedAt } = await this.#submissions.add({ task, slave });
      if (view.state === 'waiting' || view.state === 'running') this.#bodies.put(task.id, task.body);
      isTaken = queuedAt !== null;
      if (queuedAt === null) await this.dispatcher.reload(task.id);
      else this.dispatcher.add(task, queuedAt, slave);
      return view;
    } finally {
      if (slave !== null && !isTaken) this.dispatcher.release(slave, task.id);
    }
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

  /** A proof does not hold where it is needed. */
  async refuse(refusal: Refusal): Promise<TaskView | null> {
    const { db, logger } = this.#components;
    const { id, reason } = refusal;
    if (await this.#watch(refuseProof(db, refusal, this.#init.policy.retryIntervalMs))) {
      logger.error({ id, reason }, 'proof refused by whoever asked for it, another is made');
      await this.announce(id);
    }
    return await this.get(id);
  }

  /** Cancels a task whose Close seems to have passed, where the database says so, too; memory is brought to what it says. */
  async expire(id: string): Promise<boolean> {
    const { cancelled, ended } = await this.#watch(closeTask(this.#components.db, id));
    this.dropAttempts(ended);
    await this.announce(id);
    return cancelled;
  }

  /**
   * A slave came, or came again. Returns the attempts that it must drop.
   * @throws CodedError `name-taken` while another process of this name answers
   */
  async join(
    session: SlaveSession,
    hello: { readonly slots: number; readonly attempts: readonly AttemptId[] },
  ): Promise<AttemptId[]> {
    const { logger } = this.#components;
    const { name } = session;
    await this.#desk.admit(session);
    const { live, ...known } = await this.#desk.join(session, hello.slots);
    const held = new Set(hello.attempts.map(keyOf));
    const heldUntil = Math.max(known.heldUntil, await this.#blameForDeath(name, hello.attempts));
    // It says what it works on: its other leases are lost now, not after the heartbeat time-out.
    for (const attempt of live.filter((lease) => !held.has(keyOf(lease)))) {
      await this.#lose(name, attempt, 'the slave came back without it');
    }
    const open = new Set(live.map(keyOf));
    const closed = hello.attempts.filter((attempt) => !open.has(keyOf(attempt)));
    const tasks = hello.attempts.filter((attempt) => open.has(keyOf(attempt))).map(({ id }) => id);
    // Last, so that hello is answered before the first start is sent: that takes a statement more.
    const { slots } = hello;
    this.#roster.join(session, { slots, tasks, joinedAt: this.dispatcher.now(), ...known, heldUntil });
    logger.info({ slave: name, slots, attempts: tasks.length, closed: closed.length }, 'slave joined');
    this.dispatcher.wake();
    return closed;
  }

  leave(session: SlaveSession): void {
    this.#components.logger.info({ slave: session.name }, 'slave left');
    const { name } = session;
    if (this.#roster.leave(session, this.#inProofAt(name), this.dispatcher.now())) this.#desk.leave(name);
  }

  /** Attempts were ended for want of a heartbeat. Of a slave that is away that says nothing: it may come again with them. */
  async silent(ended: readonly EndedAttempt[]): Promise<void> {
    const names = new Set(ended.filter(({ outcome }) => outcome === 'lost').map(({ slave }) => slave));
    for (const name of names) {
      if (this.#roster.session(name) !== undefined) await this.#desk.died(name, this.dispatcher.now());
    }
  }

  async heartbeat(slave: string, beats: readonly Heartbeat[], free: number): Promise<AttemptId[]> {
    this.#roster.tell(slave, { attempts: beats, free });
    this.dispatcher.wake();
    const closed = await this.#heartbeats.beat(slave, beats);
    for (const { id } of closed) this.#roster.release(slave, id);
    return closed;
  }

  /** Stores a result that is verified here before. */
  async finish(slave: string, attempt: AttemptId, output: WindowPostOutput): Promise<Verdict> {
    // Its prover is free: the next task starts while this one is verified.
    this.#release(slave, attempt);
    return await this.dispatcher.whileDelivering(attempt, () => this.#finish(slave, attempt, output));
  }

  async fail(slave: string, attempt: AttemptId, failureClass: FailureClass, reason: string): Promise<Verdict> {
    this.#release(slave, attempt);
    const failure = { class: failureClass, outcome: 'failed', reason } as const;
    return await this.dispatcher.whileDelivering(attempt, () => this.#fail(slave, attempt, failure));
  }

  /** Takes a slave out of service: it finishes what runs. False when no slave of that name ever came. */
  async drain(name: string): Promise<boolean> {
    return await this.#desk.setDrained(name, true);
  }

  async resume(name: string): Promise<boolean> {
    const isKnown = await this.#desk.setDrained(name, false);
    this.dispatcher.wake();
    return isKnown;
  }

  /** The connected slaves. */
  slaves(): SlaveReport[] {
    return this.#roster.reports(this.dispatcher.now());
  }

  /** What only time brings about, in memory: competitors of slow tasks, and attempts that hang. */
  async tick(): Promise<void> {
    this.dispatcher.compete();
    this.#heartbeats.forgetTaken();
    const limitMs = LONGEST_SNARK * this.#init.policy.progressTimeoutMs;
    for (const { slave, attempt } of this.#heartbeats.provingLongerThan(limitMs)) {
      const reason = `in its SNARK for more than ${limitMs} ms`;
      const failure = { class: 'slave', outcome: 'timeout', reason } as const;
      // A heartbeat that is being written finds it ended, which must not look as if nobody knew why.
      await this.dispatcher.whileDelivering(attempt, () => this.#fail(slave, attempt, failure));
      this.dropAttempts([{ ...attempt, slave, outcome: 'timeout' }]);
    }
  }

  /**
   * Tells the slaves of attempts that others ended; the answer says that the slot is free. One that cannot be told hears of it with
   * its next heartbeat.
   */
  dropAttempts(ended: readonly EndedAttempt[]): void {
    for (const { id, attempt, slave, outcome } of ended) {
      this.#components.logger.warn({ id, attempt, slave, outcome }, 'attempt ended');
      const told = this.#roster.session(slave)?.cancel({ id, attempt }, outcome) ?? Promise.resolve();
      void told.catch(() => undefined).then(() => this.#release(slave, { id, attempt }));
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

  /** Starts nothing more, and waits for what is under way. */
  async close(): Promise<void> {
    this.#heartbeats.close();
    await this.dispatcher.close();
    await Promise.all([this.#submissions.idle(), this.#finishes.idle()]);
  }

  async #finish(slave: string, attempt: AttemptId, output: WindowPostOutput): Promise<Verdict> {
    const { logger, verifier } = this.#components;
    const { id } = attempt;
    const found = await this.#bodyFor(slave, attempt);
    if ('refused' in found) return this.#refuse(slave, attempt, found.refused);
    const objection = await judgeOutput(verifier, found.body, output);
    if (objection !== null) {
      logger.error({ ...attempt, slave, objection }, 'result refused');
      await this.#fail(slave, attempt, { class: 'slave', outcome: 'failed', reason: objection });
      return { ...NOT_TAKEN, reason: objection };
    }
    const told = nameCopies(found.body, output);
    const { accepted, reason, ended, state } = await this.#finishes.add({ ...attempt, output: told });
    if (!accepted) {
      await this.announce(id);
      return this.#refuse(slave, attempt, reason ?? '');
    }
    this.#heartbeats.taken(attempt);
    this.#roster.succeeded(slave);
    this.dropAttempts(ended);
    const minerId = this.dispatcher.get(id)?.minerId;
    const at = { ...attempt, slave, minerId, faults: output.faults.length };
    logger.info(at, output.faults.length === 0 ? 'task proven' : 'task found faults');
    if (state === 'proven') this.dispatcher.proven(slave, attempt);
    this.dispatcher.ended(attempt, state === 'running' ? 'goes on' : 'finished');
    if (state === 'proven' || state === 'faulted') {
      this.#bodies.forget(id);
      this.#init.onChange(id, state);
    }
    return { accepted: true, reason: null };
  }

  /** The database is only asked about an attempt that memory does not know: the commit decides anyway. */
  async #bodyFor(slave: string, attempt: AttemptId): Promise<{ readonly body: Buffer } | { readonly refused: string }> {
    if (this.dispatcher.isLive(slave, attempt)) {
      const body = await this.#watch(this.#bodies.get(attempt.id));
      if (body !== undefined) return { body: body.bytes };
    }
    return await this.#watch(getAttemptBody(this.#components.db, slave, attempt));
  }

  async #fail(slave: string, attempt: AttemptId, failure: Failure): Promise<Verdict> {
    const { db, logger } = this.#components;
    const verdict = await this.#watch(failAttempt(db, { ...attempt, slave }, failure, this.#init.policy));
    if (!verdict.accepted) return this.#refuse(slave, attempt, verdict.reason ?? '');
    const { class: failureClass, reason } = failure;
    this.#heartbeats.taken(attempt);
    logger.warn({ ...attempt, slave, class: failureClass, reason }, 'attempt failed');
    if (failureClass === 'slave') await this.#desk.failed(slave, attempt.id, this.dispatcher.now());
    this.dropAttempts(verdict.ended);
    await this.announce(attempt.id);
    return { accepted: true, reason: null };
  }

  /** By tasks that only memory knows, so that a restart of the master is nobody's fault. Returns until when it is held back. */
  async #blameForDeath(name: string, brought: readonly AttemptId[]): Promise<number> {
    const had = this.#roster.session(name) === undefined ? this.#roster.leftWith(name) : this.#inProofAt(name);
    const has = new Set(brought.map(({ id }) => id));
    if (had.every((id) => has.has(id))) return 0;
    return (await this.#desk.died(name, this.dispatcher.now())) ?? 0;
  }

  #inProofAt(name: string): string[] {
    const isIn = (id: string) => this.dispatcher.get(id)?.live.some(({ slave }) => slave === name) ?? false;
    return this.#roster.tasks(name).filter(isIn);
  }

  async #lose(slave: string, attempt: AttemptId, reason: string): Promise<void> {
    // Else it could get the task again and again, being free just when it is waiting.
    const elsewhere = this.#roster.hasOthers(slave, this.dispatcher.now());
    const failure = { class: 'lost', outcome: 'lost', reason, elsewhere } as const;
    const { accepted } = await this.#watch(failAttempt(this.#components.db, attempt, failure, this.#init.policy));
    if (!accepted) return;
    this.#components.logger.warn({ ...attempt, slave, reason }, 'attempt ended');
    await this.announce(attempt.id);
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

function keyOf({ id, attempt }: AttemptId): string {
  return `${id}/${attempt}`;
}
