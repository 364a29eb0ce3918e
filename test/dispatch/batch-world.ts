import { systemClock } from '../../src/clock/system-clock.ts';
import { DatabaseHealth } from '../../src/dispatch/database-health.ts';
import { Leader } from '../../src/dispatch/leader.ts';
import { proveBatch } from '../../src/dispatch/prove-batch.ts';
import { TaskWaits } from '../../src/dispatch/task-waits.ts';
import type { AttemptId } from '../../src/rpc/methods.ts';
import type { WindowPostOutput, WindowPostTask } from '../../src/rpc/window-post.ts';
import type { TestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { proofOf } from './batch-task.ts';

export const MINUTE_MS = 60_000;
/** Of one proof still to make; two more minutes for the message. */
const PROOF_MS = MINUTE_MS;
export const reserveMs = (proofs: number): number => 2 * MINUTE_MS + proofs * PROOF_MS;

/** As the chain's verifier: the sorted union in chunks of two, each at its place. */
async function judge(body: Uint8Array, proof: Uint8Array): Promise<{ valid: boolean; reason: string | null }> {
  const task: WindowPostTask = JSON.parse(Buffer.from(body).toString());
  const sorted = task.replicas.map((replica) => replica.sector_id).sort((a, b) => a - b);
  const wanted = Buffer.concat(sorted.filter((_, index) => index % 2 === 0).map(proofOf));
  const valid = wanted.equals(proof);
  return { valid, reason: valid ? null : 'not at its place' };
}

export interface ScriptedSlave {
  readonly name: string;
  readonly starts: EventQueue<AttemptId>;
  readonly cancels: EventQueue<AttemptId & { reason: string }>;
  /** The next lease, with the sectors of its chunk. */
  next(): Promise<AttemptId & { sectors: readonly number[] }>;
  says(lease: AttemptId, output: WindowPostOutput): Promise<void>;
  fails(lease: AttemptId, kind: 'permanent' | 'slave' | 'transient', reason: string): Promise<void>;
  beat(lease: AttemptId, phase: 'reading' | 'proving'): Promise<void>;
}

/** A leader on a real database, with slaves that do what the test says. */
export class BatchWorld {
  /** By submitters. */
  readonly wanted = new Set<string>();
  readonly waits = new TaskWaits();
  readonly leader: Leader;
  readonly logged = new EventQueue<{ readonly level: string; readonly msg: string }>();
  /** What the verifier of joined proofs says instead of the truth. */
  readonly verdicts: (() => Promise<{ valid: boolean; reason: string | null }>)[] = [];
  /** How far the batch's clock is ahead of the database's. */
  aheadMs = 0;
  readonly #schema: TestDatabase;
  /** Housekeeping's part: pauses end. */
  readonly #ticks = setInterval(() => this.leader.dispatcher.wake(), 10);

  constructor(schema: TestDatabase) {
    this.#schema = schema;
    const verifier = { verifyTask: judge };
    const components = { clock: systemClock, logger: silentLogger };
    this.leader = new Leader(
      { ...components, db: schema.db, verifier, health: new DatabaseHealth(components) },
      {
        policy: { maxRetry: 2, retryIntervalMs: 10, heartbeatTimeoutMs: 600_000, progressTimeoutMs: 600_000 },
        onChange: (id) => this.waits.changed(id),
      },
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks);
    await this.leader.close();
  }

  now(): number {
    return this.leader.dispatcher.now() + this.aheadMs;
  }

  /** Asks as a foreign manager does; `closeAt` counts from now. */
  ask(
    task: unknown,
    init: {
      readonly closesInMs?: number;
      readonly signal?: AbortSignal;
      readonly leader?: Pick<Leader, 'submit' | 'get' | 'cancel'>;
    } = {},
  ): Promise<WindowPostOutput> {
    const closeAt = init.closesInMs === undefined ? null : Math.round(this.now() + init.closesInMs);
    const note = (level: string) => (_: object, msg: string) => this.logged.push({ level, msg });
    const logger = Object.assign(Object.create(silentLogger), {
      warn: note('warn'),
      error: note('error'),
      info: note('info'),
    });
    const answer = proveBatch(
      {
        clock: systemClock,
        logger,
        db: this.#schema.db,
        leader: init.leader ?? this.leader,
        verifier: {
          verifyTask: async (body, proof) => (await this.verdicts.shift()?.()) ?? (await judge(body, proof)),
        },
        waits: this.waits,
        isWanted: (id) => this.wanted.has(id),
        now: () => this.now(),
        policy: { assumedCloseMs: 35 * MINUTE_MS, retryIntervalMs: 10, reserveMs },
      },
      { task, closeAt },
      init.signal ?? new AbortController().signal,
    );
    answer.catch(() => {});
    return answer;
  }

  async slave(name: string, slots = 1): Promise<ScriptedSlave> {
    const { leader } = this;
    const { db } = this.#schema;
    const starts = new EventQueue<AttemptId>();
    const cancels = new EventQueue<AttemptId & { reason: string }>();
    await leader.join(
      {
        name,
        instance: undefined,
        remote: '127.0.0.1:1',
        version: 2,
        sectorSize: null,
        stores: null,
        start: async ({ id, attempt }) => {
          starts.push({ id, attempt });
          return { accepted: true, reason: null };
        },
        cancel: async (attempt, reason) => cancels.push({ ...attempt, reason }),
        answers: async () => true,
        close: () => {},
      },
      { slots, attempts: [] },
    );
    return {
      name,
      starts,
      cancels,
      async next() {
        const lease = await starts.next();
        const { in_body } = await db.kysely
          .selectFrom('tasks')
          .select('in_body')
          .where('id', '=', lease.id)
          .executeTakeFirstOrThrow();
        const task: WindowPostTask = JSON.parse(in_body.toString());
        return { ...lease, sectors: task.replicas.map((replica) => replica.sector_id) };
      },
      async says({ id, attempt }, output) {
        const { accepted, reason } = await leader.finish(name, { id, attempt }, output);
        if (!accepted) throw new Error(reason ?? 'refused');
      },
      async fails({ id, attempt }, kind, reason) {
        await leader.fail(name, { id, attempt }, kind, reason);
      },
      async beat({ id, attempt }, phase) {
        await leader.heartbeat(name, [{ id, attempt, phase, done: 1, total: 1 }], slots - 1);
      },
    };
  }
}
