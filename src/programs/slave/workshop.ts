import type { Clock } from '../../clock/clock.ts';
import { retry } from '../../clock/retry.ts';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import type { AttemptId, Heartbeat, PeerMethods, Verdict } from '../../rpc/methods.ts';
import type { RpcClient } from '../../rpc/rpc-client.ts';
import type { WindowPostTask } from '../../rpc/window-post.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type AttachedStore, localTask } from './attached-stores.ts';
import { HeldAttempt, type Outcome } from './held-attempt.ts';
import type { ProvingSlot } from './proving-slot.ts';

export interface WorkshopComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly slots: readonly ProvingSlot[];
  readonly client: Pick<RpcClient, 'call' | 'isConnected'>;
  readonly attached: readonly AttachedStore[];
}

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;
/** Saying the same again changes nothing. */
const REFUSALS = ['bad-params', 'forbidden', 'unknown-method'];

/** The attempts of this slave: each is proven in a slot and held until the master has taken its outcome. */
export class Workshop {
  readonly #components: WorkshopComponents;
  readonly #held = new Map<string, { readonly held: HeldAttempt; readonly done: Promise<void> }>();

  constructor(components: WorkshopComponents) {
    this.#components = components;
  }

  /** Every attempt that is proven or whose outcome is still to be delivered. */
  get attempts(): Heartbeat[] {
    return [...this.#held.values()].map(({ held }) => held.heartbeat);
  }

  get freeSlots(): number {
    return this.#components.slots.filter((slot) => slot.isFree).length;
  }

  /** @param body the task's JSON; a master of version 1 sends the task among the params */
  start(params: PeerMethods['attempt.start']['params'], body: Uint8Array | undefined): Verdict {
    const { clock, logger, slots, attached } = this.#components;
    const { id, attempt, closeAt, stores: places = [] } = params;
    // An older master tells the time of Close only.
    const { closesInMs = closeAt === null ? null : closeAt - clock.now() } = params;
    if (this.#held.has(keyOf(params))) return { accepted: true, reason: null };
    const slot = slots.find((candidate) => candidate.isFree);
    if (slot === undefined) return { accepted: false, reason: 'no free slot' };
    const given = body ?? params.task;
    if (given === undefined) return { accepted: false, reason: 'it came without its task' };
    const task = localTask(given, { places, attached });
    const { sectors = 0, ...facts } = params.facts ?? factsOf(params.task);
    // Operators search for `got task:`.
    logger.info({ attempt, ...facts, sectors, closeAt }, `got task: ${id}`);
    const held = new HeldAttempt(this.#components, { id, attempt, closesInMs, task, sectors });
    this.#held.set(keyOf(held), { held, done: this.#carryOut(held, slot) });
    return { accepted: true, reason: null };
  }

  /** The master has closed it: whatever is done for it ends, its prover is free within seconds. Resolves when it is. */
  async drop(attempt: AttemptId, reason: string): Promise<void> {
    const entry = this.#held.get(keyOf(attempt));
    if (entry === undefined) return;
    this.#components.logger.warn({ id: attempt.id, attempt: attempt.attempt, reason }, 'attempt dropped');
    entry.held.drop(reason);
    await entry.done;
  }

  /** Ends all proofs as failures that another slave may repeat; resolves when the master knows. */
  async stop(): Promise<void> {
    const reason = new CodedError('slave-stopping', 'the slave is stopping');
    for (const { held } of this.#held.values()) held.end(reason);
    await Promise.all([...this.#held.values()].map(({ done }) => done));
  }

  async #carryOut(held: HeldAttempt, slot: ProvingSlot): Promise<void> {
    const outcome = await held.prove(slot);
    try {
      await this.#deliver(held, outcome);
    } catch (error) {
      // A drop was logged when it came.
      if (!held.dropped.aborted) {
        this.#components.logger.error({ id: held.id, error: errorText(error) }, 'the master does not take an outcome');
      }
    } finally {
      this.#held.delete(keyOf(held));
    }
  }

  async #deliver(held: HeldAttempt, outcome: Outcome): Promise<void> {
    const { clock, logger, client } = this.#components;
    const { id, attempt } = held;
    const verdict = await retry(
      clock,
      {
        pauseMs: FIRST_PAUSE_MS,
        maxPauseMs: MAX_PAUSE_MS,
        signal: held.dropped,
        isTransient: (error) => !REFUSALS.includes(errorCode(error) ?? ''),
        onFailure: (error) => logger.warn({ id, attempt, error: errorText(error) }, 'outcome not delivered yet'),
      },
      () =>
        'output' in outcome
          ? client.call('attempt.finish', { id, attempt, output: outcome.output })
          : client.call('attempt.fail', { id, attempt, ...outcome.failure }),
    );
    const said =
      'output' in outcome
        ? { proofs: outcome.output.proofs.length, faults: outcome.output.faults.length }
        : outcome.failure;
    // Operators search for `slave: task:`.
    logger.info(
      { attempt, ...said, accepted: verdict.accepted, refused: verdict.reason },
      `slave: task: ${id} reported`,
    );
  }
}

function keyOf({ id, attempt }: AttemptId): string {
  return `${id}/${attempt}`;
}

function factsOf(task: WindowPostTask | undefined) {
  return { minerId: task?.miner_id, proofType: task?.proof_type, sectors: task?.replicas?.length };
}
