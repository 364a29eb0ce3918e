import type { Clock } from '../../clock/clock.ts';
import type { MasterConfig } from '../../config/master-file.ts';
import type { Database } from '../../database/database.ts';
import type { BatchComponents } from '../../dispatch/batch.ts';
import { batchReserveMs } from '../../dispatch/batch-reserve.ts';
import { DatabaseHealth } from '../../dispatch/database-health.ts';
import { Housekeeping } from '../../dispatch/housekeeping.ts';
import { Leader } from '../../dispatch/leader.ts';
import { Operator } from '../../dispatch/operator.ts';
import { proveBatch } from '../../dispatch/prove-batch.ts';
import { keepRetention } from '../../dispatch/retention.ts';
import { TaskWaits } from '../../dispatch/task-waits.ts';
import { CodedError } from '../../errors/coded-error.ts';
import type { Verifier } from '../../ext-processor/verifier.ts';
import { allSlavesAway } from '../../queue/all-slaves-away.ts';
import type { LeasePolicy } from '../../queue/end-lost-attempts.ts';
import type { Refusal } from '../../queue/refuse-proof.ts';
import { WITHDRAWN } from '../../queue/task-state.ts';
import type { TaskView } from '../../rpc/methods.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';
import type { WindowPostOutput } from '../../rpc/window-post.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StoreTable } from './store-table.ts';
import { Submitters } from './submitters.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  /** In which only the leader can write. */
  readonly db: Database;
  readonly verifier: Verifier;
}

/** Everything that a master has while it leads, and forgets when it does not. */
export class Reign {
  readonly leader: Leader;
  readonly operator: Operator;
  readonly submitters: Submitters;
  readonly stores = new StoreTable();
  readonly #components: Components;
  readonly #task: MasterConfig['task'];
  readonly #housekeeping: Housekeeping;
  readonly #waits = new TaskWaits();
  readonly #peers = new Set<RpcPeer>();
  readonly #over = new AbortController();
  /** Unfinished when it began: it does not know who asked for them. */
  #found: ReadonlySet<string> = new Set();
  #turn = 0;
  #retention: Promise<void> = Promise.resolve();

  constructor(components: Components, task: MasterConfig['task']) {
    this.#components = components;
    this.#task = task;
    this.submitters = new Submitters(components);
    // Slaves could not beat while nobody led.
    const health = new DatabaseHealth(components);
    const policy: LeasePolicy = {
      maxRetry: task.maxRetry,
      retryIntervalMs: task.retryJobIntervalMs,
      heartbeatTimeoutMs: task.heartbeatTimeoutMs,
      progressTimeoutMs: task.timeoutMs,
    };
    this.leader = new Leader(
      { ...components, health },
      {
        policy,
        onChange: (id, state) => {
          this.#waits.changed(id);
          this.submitters.tell(id, state);
        },
      },
    );
    this.operator = new Operator({ ...components, leader: this.leader });
    this.#housekeeping = new Housekeeping(
      { ...components, health, leader: this.leader },
      {
        policy,
        sweepIntervalMs: task.retryJobIntervalMs,
        archiveIntervalMs: task.archiveJobIntervalMs,
        archiveAfterMs: task.shouldArchiveMs,
      },
    );
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async start(): Promise<void> {
    await allSlavesAway(this.#components.db);
    await this.#housekeeping.sweep();
    this.#found = new Set(this.leader.dispatcher.tasks().map(({ id }) => id));
    this.#housekeeping.start();
    const { retentionMs, archiveJobIntervalMs: archiveIntervalMs } = this.#task;
    this.#retention = keepRetention(this.#components, { retentionMs, archiveIntervalMs }, this.#over.signal);
  }

  async close(reason: string): Promise<void> {
    this.#over.abort(new CodedError('not-leading', reason));
    for (const peer of this.#peers) peer.connection.close(reason);
    await this.#housekeeping.close();
    await this.#retention;
    await this.leader.close();
  }

  /** A peer said hello in this reign; its connection ends with it. */
  add(peer: RpcPeer): void {
    this.#peers.add(peer);
    void peer.connection.closed.then(() => this.#peers.delete(peer));
  }

  /** Connected slaves, from one call to the next beginning with another one. */
  slavePeers(): RpcPeer[] {
    const slaves = [...this.#peers].filter(({ hello }) => hello.role === 'slave');
    const first = slaves.length === 0 ? 0 : this.#turn++ % slaves.length;
    return [...slaves.slice(first), ...slaves.slice(0, first)];
  }

  /** One that asked for a task does not want it any more: it ends when nobody does. */
  async withdraw(id: string, reason: string, peer: RpcPeer): Promise<TaskView | null> {
    this.submitters.withdraw(peer, id);
    if (this.#waits.watchers(id) > 0 || this.#isWanted(id)) {
      this.#components.logger.info(
        { id, reason },
        'task is not wanted by one of those who asked, it goes on for others',
      );
      return await this.leader.get(id);
    }
    return await this.leader.cancel(id, `${WITHDRAWN}${reason}`);
  }

  /** A proof does not hold where it is needed; of another's task nobody is believed. */
  async refuse(refusal: Refusal, peer: RpcPeer): Promise<TaskView | null> {
    const { id, reason } = refusal;
    if (this.submitters.hasAsked(peer, id)) return await this.leader.refuse(refusal);
    this.#components.logger.warn(
      { id, reason, peer: peer.hello.name },
      'proof refused by one who had not asked for it',
    );
    return await this.leader.get(id);
  }

  /** Ends when its answer is there, or the one who asked is gone. */
  async proveBatch(request: Parameters<typeof proveBatch>[1], peer: RpcPeer): Promise<WindowPostOutput> {
    const gone = new AbortController();
    void peer.connection.closed.then((reason) => gone.abort(new CodedError('connection-lost', reason)));
    const components = { ...this.#components, leader: this.leader, waits: this.#waits, ...this.#batchFacts() };
    return await proveBatch(components, request, AbortSignal.any([gone.signal, this.#over.signal]));
  }

  /** By a submitter, or perhaps by one that has not come to this master yet: then it goes on until Close. */
  #isWanted(id: string): boolean {
    return this.submitters.want(id) || (this.submitters.isNew && this.#found.has(id));
  }

  #batchFacts(): Pick<BatchComponents, 'now' | 'policy' | 'isWanted'> {
    const { assumedCloseMs, retryJobIntervalMs: retryIntervalMs, timeoutMs: proofMs } = this.#task;
    const slots = () => this.leader.slaves().reduce((sum, slave) => sum + slave.slots, 0);
    return {
      now: () => this.leader.dispatcher.now(),
      isWanted: (id) => this.#isWanted(id),
      policy: {
        assumedCloseMs,
        retryIntervalMs,
        reserveMs: (proofs) => batchReserveMs({ proofs, slots: slots(), proofMs }),
      },
    };
  }
}
