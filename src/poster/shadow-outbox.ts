import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import { isDatabaseTrouble } from '../database/database-errors.ts';
import type { Bitfield } from '../filecoin/bitfield.ts';
import { decodeCbor } from '../filecoin/cbor.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../filecoin/miner-params.ts';
import { mainnetPolicy } from '../filecoin/policy.ts';
import { openMessages, storeUnsent } from '../outbox/message-store.ts';
import { isExecutionFailure, nodeText } from '../outbox/node-answers.ts';
import type { IntendedMessage } from '../outbox/outbox-message.ts';
import type { Logger } from '../telemetry/logger.ts';
import { knownShadows, storeDue, storeShadowEnd } from './shadow-store.ts';

/** The partitions that a window PoSt message posts. */
interface Posting {
  readonly deadline: number;
  readonly partitions: readonly number[];
}

/**
 * Stands in for the outbox of a manager that only shows what it would do: nothing is signed and nothing leaves. Each message is
 * estimated by the node as a real one would be, kept as it would have been sent, and ends when the chain shows that somebody else
 * has posted, or when it is worthless.
 */
export class ShadowOutbox {
  readonly #components: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly db: Database;
    readonly chain: Chain;
  };

  constructor(components: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly db: Database;
    readonly chain: Chain;
  }) {
    this.#components = components;
  }

  /** As `Outbox.advance`. */
  async advance(head: TipSet): Promise<boolean> {
    const { db, logger } = this.#components;
    const messages = (await openMessages(db)).filter((message) => message.state === 'intended');
    const known = await knownShadows(
      db.kysely,
      messages.map(({ id }) => id),
    );
    let changed = false;
    for (const message of messages) {
      try {
        const ended = known.has(message.id) ? await this.#watch(message, head) : await this.#due(message, head);
        changed ||= ended;
      } catch (err) {
        if (isDatabaseTrouble(err)) throw err;
        logger.warn({ err, message: message.id, minerId: message.minerId }, 'shadow: a message could not be tried');
      }
    }
    return changed;
  }

  /** It would be sent now. True where the chain would not execute it. */
  async #due(message: IntendedMessage, head: TipSet): Promise<boolean> {
    const { chain, clock, db, logger } = this.#components;
    if (isWorthless(message, head)) return await this.#end(message, head, false);
    const posting = postingOf(message);
    const draft = {
      version: 0 as const,
      to: message.recipient,
      from: await chain.accountKey(message.sender, head.key),
      nonce: 0,
      value: 0n,
      gasLimit: 0,
      gasFeeCap: 0n,
      gasPremium: 0n,
      method: message.method,
      params: message.params,
    };
    const estimate = await chain.estimateGas(draft, { maxFee: message.maxFee }, head.key).catch((error: unknown) => {
      if (isExecutionFailure(error)) return nodeText(error);
      throw error;
    });
    const refusal = typeof estimate === 'string' ? estimate : null;
    const close = posting === undefined ? null : message.expiresEpoch;
    await storeDue(db, {
      message_id: message.id,
      miner_id: message.minerId,
      purpose: message.purpose,
      deadline: posting?.deadline ?? null,
      partitions: posting === undefined ? null : JSON.stringify(posting.partitions),
      open_epoch: close === null ? null : close - mainnetPolicy.challengeWindow,
      close_epoch: close,
      due_height: head.height,
      due_at: clock.now(),
      refusal,
      fee: typeof estimate === 'string' ? null : (BigInt(estimate.gasLimit) * estimate.gasFeeCap).toString(),
      ended_height: null,
      posted: null,
    });
    const facts = { minerId: message.minerId, message: message.id, ...posting, height: head.height, refusal };
    logger.info(facts, 'shadow: a message would be sent');
    if (refusal === null) return false;
    await storeShadowEnd(
      db,
      message.id,
      head.height,
      posting === undefined ? null : await this.#isPosted(message, posting, head),
    );
    return await storeUnsent(db, message, 'refused', `shadow: ${refusal}`, clock.now());
  }

  async #watch(message: IntendedMessage, head: TipSet): Promise<boolean> {
    if (isWorthless(message, head)) return await this.#end(message, head, false);
    const posting = postingOf(message);
    if (posting === undefined || !(await this.#isPosted(message, posting, head))) return false;
    return await this.#end(message, head, true);
  }

  async #end(message: IntendedMessage, head: TipSet, posted: boolean): Promise<boolean> {
    const { clock, db } = this.#components;
    const isPost = postingOf(message) !== undefined;
    await storeShadowEnd(db, message.id, head.height, isPost ? posted : null);
    const reason = `shadow: not sent${posted ? ', somebody else has posted' : ''}`;
    return await storeUnsent(db, message, 'expired', reason, clock.now());
  }

  async #isPosted(message: IntendedMessage, { deadline, partitions }: Posting, head: TipSet): Promise<boolean> {
    const deadlines = await this.#components.chain.deadlines(message.recipient, head.key);
    const posted: Bitfield | undefined = deadlines[deadline]?.postSubmissions;
    return posted !== undefined && partitions.every((partition) => posted.has(partition));
  }
}

function isWorthless({ expiresEpoch }: IntendedMessage, head: TipSet): boolean {
  return expiresEpoch !== null && head.height >= expiresEpoch;
}

function postingOf({ method, params }: IntendedMessage): Posting | undefined {
  if (method !== MinerMethod.SubmitWindowedPoSt) return undefined;
  const { deadline, partitions } = decodeCbor(submitWindowedPoStParams, params);
  return { deadline, partitions: partitions.map(({ index }) => index) };
}
