import type { Database } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import { type Failure, failAttempt, type RetryPolicy } from '../queue/fail-attempt.ts';
import type { UnfinishedTask } from '../queue/list-unfinished.ts';
import { type LeaseRequest, startAttempts } from '../queue/start-attempt.ts';
import type { AttemptId } from '../rpc/methods.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { BodyCache } from './body-cache.ts';
import type { DatabaseHealth } from './database-health.ts';
import type { SlaveRoster, SlaveSession } from './slave-roster.ts';

export interface LeaseMakerComponents {
  readonly logger: Logger;
  readonly db: Database;
  readonly health: DatabaseHealth;
  readonly roster: SlaveRoster;
  readonly bodies: BodyCache;
}

/** The slave may be at work: its next hello or heartbeat says so, or its silence ends the lease. */
const MAYBE_TAKEN = new Set(['connection-lost', 'time-limit']);
const MAX_LEASES_AT_ONCE = 64;

/** Makes a choice true: first in the database, several with one commit, then at the slave. */
export class LeaseMaker {
  readonly #components: LeaseMakerComponents;
  readonly #policy: RetryPolicy;
  readonly #leases: GroupCommit<LeaseRequest, AttemptId | null>;

  constructor(components: LeaseMakerComponents, policy: RetryPolicy) {
    const { db, health } = components;
    this.#components = components;
    this.#policy = policy;
    this.#leases = new GroupCommit({
      maxItems: MAX_LEASES_AT_ONCE,
      run: (leases) => health.watch(startAttempts(db, leases)),
    });
  }

  /** In the database. Null when somebody was faster. */
  async make(task: UnfinishedTask, slave: string): Promise<AttemptId | null> {
    return await this.#leases.add({ id: task.id, slave, lastAttempt: task.lastAttempt });
  }

  /** Gives a lease to its slave. True when it has it, or may have it; otherwise the attempt is ended. */
  async give(task: UnfinishedTask, attempt: AttemptId, slave: string): Promise<boolean> {
    const { db, health, roster } = this.#components;
    const session = roster.session(slave);
    const left: Failure = { class: 'lost', outcome: 'lost', reason: 'not taken: the slave has left' };
    const failure = session === undefined ? left : await this.#send(task, attempt, session);
    if (failure === undefined) return true;
    roster.release(slave, task.id);
    await health.watch(failAttempt(db, attempt, failure, this.#policy));
    return false;
  }

  /** What keeps the slave from it, if anything. */
  async #send(task: UnfinishedTask, { id, attempt }: AttemptId, session: SlaveSession): Promise<Failure | undefined> {
    const { bodies, health, logger, roster } = this.#components;
    const { minerId, proofType, sectorCount: sectors, closeAt } = task;
    const at = { id, attempt, slave: session.name };
    try {
      const body = await bodies.get(id);
      if (body === undefined || body.flaw !== null) {
        const flaw = body?.flaw ?? 'there is no body';
        logger.error({ ...at, flaw }, 'body of a task cannot be read');
        return { class: 'permanent', outcome: 'failed', reason: `bad-task: ${flaw}` };
      }
      const facts = { minerId, proofType, sectors };
      const closesInMs = closeAt === null ? null : Math.round(closeAt - health.clock.surelyPast());
      const lease = { id, attempt, closeAt, closesInMs };
      const { accepted, reason } = await session.start({ ...lease, facts, body: body.bytes });
      if (!accepted) throw new CodedError('lease-refused', reason ?? 'no reason given');
      logger.info({ ...at, minerId, closeAt }, 'task leased');
      return undefined;
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
