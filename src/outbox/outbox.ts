import type { TipSet } from '../chain/tipset.ts';
import { isDatabaseTrouble } from '../database/database-errors.ts';
import { errorCode } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import type { OutboxComponents, SendingComponents } from './components.ts';
import { type Delivery, deliver, type Place } from './deliver.ts';
import { smaller } from './fees.ts';
import { endShadowed, openMessages, storeTrouble } from './message-store.ts';
import { nodeText } from './node-answers.ts';
import {
  type IntendedMessage,
  isSigned,
  type MessageStateName,
  type OpenMessage,
  type SignedOutboxMessage,
} from './outbox-message.ts';
import { goOn, send } from './send.ts';
import { SenderBook } from './sender-book.ts';
import { nodeFees, type OutboxInit } from './settings.ts';

const UNREACHABLE = new Set(['chain-unavailable', 'messager-unavailable']);

/**
 * Sends the messages whose intents are stored, each once, in nonce order for each sender, until they landed. All state is in the
 * database: another process, or this one after a crash, goes on at any point.
 */
export class Outbox {
  readonly #components: SendingComponents;
  readonly #senders: SenderBook;
  /** Sender → its key address; an account's key never changes. */
  readonly #signers = new Map<string, Address>();
  /** Lines that are worked on, by signer, and the head at which they are to be once more. */
  readonly #busy = new Map<string, { again: TipSet | undefined }>();
  /** Counts the ends of work on lines: what was read before one may be old. */
  #ends = 0;
  #begun: Promise<void> | undefined;

  /** @param init a miner that is not listed is sent for with the node's own fees, by the sender that its messages name */
  constructor(components: OutboxComponents, init: OutboxInit = { carrier: { kind: 'own' }, miners: [] }) {
    const rules = new Map(init.miners.map(({ minerId, fees }) => [minerId, fees]));
    this.#components = {
      ...components,
      carrier: init.carrier,
      rules: (minerId) => rules.get(minerId) ?? nodeFees,
    };
    this.#senders = new SenderBook(this.#components, init);
  }

  /**
   * Takes every open message as far as this head lets it; true if a state changed. Trouble with one message is logged, stored with
   * it, and tried again at the next call. Safe beside another call, in this process or another: senders that an earlier call is
   * still busy with are left to that one, which takes them as far as this head, too.
   * @throws CodedError `database-unavailable` and others of the database, `lead-lost`
   */
  async advance(head: TipSet): Promise<boolean> {
    await this.#begin();
    const looking = this.#senders.look(head);
    const ends = this.#ends;
    const lines = new Map<string, OpenMessage[]>();
    const unknown = new Map<string, OpenMessage[]>();
    for (const message of await openMessages(this.#components.db)) {
      const signer = this.#signerOf(message);
      const key = signer ?? `${message.minerId}/${formatAddress(message.sender)}`;
      const some = signer === undefined ? unknown : lines;
      some.set(key, [...(some.get(key) ?? []), message]);
    }
    const isFresh = this.#ends === ends;
    const changes = await Promise.all([
      ...[...lines].map(([signer, line]) => this.#work(signer, head, isFresh ? line : undefined)),
      ...[...unknown.values()].map((line) => this.#workUnknown(line, head)),
    ]);
    await looking;
    return changes.includes(true);
  }

  #begin(): Promise<void> {
    this.#begun ??= endShadowed(this.#components.db, this.#components.clock.now()).catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  /** The account that pays; of a message that has none yet the one that it would get now, undefined where that is to be asked for. */
  #signerOf(message: OpenMessage): string | undefined {
    if (message.state !== 'intended') return message.signer;
    if (!this.#senders.hasLooked(message.minerId)) return undefined;
    const signer = this.#signers.get(formatAddress(this.#senders.choose(message.minerId, message.sender)));
    return signer && formatAddress(signer);
  }

  /** Messages of one miner with one sender, whose account is asked for first. */
  async #workUnknown(line: readonly OpenMessage[], head: TipSet): Promise<boolean> {
    const [first] = line;
    if (first === undefined) return false;
    await this.#senders.firstLook(first.minerId);
    const account = await this.#accountOf(first, head).catch(() => undefined);
    if (account !== undefined) return await this.#work(formatAddress(account.signer), head);
    // Told when it is its turn.
    return await this.#work(formatAddress(first.sender), head, line);
  }

  /** @param line as it was read just now; absent: it is read */
  async #work(signer: string, head: TipSet, line?: readonly OpenMessage[]): Promise<boolean> {
    const busy = this.#busy.get(signer);
    if (busy !== undefined) {
      busy.again = head;
      return false;
    }
    const mine: { again: TipSet | undefined } = { again: undefined };
    this.#busy.set(signer, mine);
    try {
      let changed = await this.#advanceLine(line ?? (await this.#read(signer)), head);
      for (let { again } = mine; again !== undefined; { again } = mine) {
        mine.again = undefined;
        if (await this.#advanceLine(await this.#read(signer), again)) changed = true;
      }
      return changed;
    } finally {
      this.#busy.delete(signer);
      this.#ends++;
    }
  }

  async #read(signer: string): Promise<OpenMessage[]> {
    const messages = await openMessages(this.#components.db);
    return messages.filter((message) => this.#signerOf(message) === signer);
  }

  #withinBudget<M extends OpenMessage>(message: M): M {
    const { maxRecoveryFee } = this.#components.rules(message.minerId);
    if (message.purpose === 'submit' || maxRecoveryFee === undefined) return message;
    return { ...message, maxFee: smaller(message.maxFee, maxRecoveryFee) };
  }

  /** One sender's messages one after the other, since the nonce of the next depends on what is stored of the ones before. */
  async #advanceLine(messages: readonly OpenMessage[], head: TipSet): Promise<boolean> {
    const { clock, logger, db } = this.#components;
    const line = messages.map((message) => this.#withinBudget(message));
    let changed = false;
    let isFirst = true;
    let premiumAhead: bigint | undefined;
    for (const [index, message] of line.entries()) {
      const isInTheWay =
        message.purpose !== 'submit' && line.slice(index + 1).some(({ purpose }) => purpose === 'submit');
      const place = { isFirst, isInTheWay, ...(premiumAhead !== undefined && { premiumAhead }) };
      try {
        const { state, isOnChain, premium } = await this.#advanceMessage(message, place, head);
        if (state !== message.state) changed = true;
        if ((state === 'signed' || state === 'pushed') && !isOnChain) {
          isFirst = false;
          premiumAhead ??= premium;
        }
      } catch (error) {
        if (isDatabaseTrouble(error)) throw error;
        logger.warn({ err: error, message: message.id, minerId: message.minerId }, 'sending a message failed');
        await storeTrouble(db, message, nodeText(error), clock.now());
        // The others would wait as long for the same answer.
        if (UNREACHABLE.has(errorCode(error) ?? '')) return changed;
        if (message.state !== 'intended') isFirst = false;
      }
    }
    return changed;
  }

  async #advanceMessage(message: OpenMessage, place: Place, head: TipSet): Promise<Delivery> {
    if (isSigned(message)) return await deliver(this.#components, message, place, head);
    const sent =
      message.state === 'intended' ? await this.#send(message, head) : await goOn(this.#components, message, head);
    if (typeof sent === 'string') return { state: sent, isOnChain: false };
    return await deliver(this.#components, sent, place, head);
  }

  async #send(message: IntendedMessage, head: TipSet): Promise<SignedOutboxMessage | MessageStateName> {
    const account = await this.#accountOf(message, head);
    try {
      return await send(this.#components, message, account, head);
    } catch (error) {
      // Without a nonce it is free to take another sender, which the next head does.
      if (errorCode(error) === 'sender-short') this.#senders.isShort(message.minerId, account.address);
      throw error;
    }
  }

  /** The sender that a message without a nonce gets, and its key address. */
  async #accountOf(
    message: OpenMessage,
    head: TipSet,
  ): Promise<{ readonly address: Address; readonly signer: Address }> {
    const address = this.#senders.choose(message.minerId, message.sender);
    const text = formatAddress(address);
    const signer = this.#signers.get(text) ?? (await this.#components.chain.accountKey(address, head.key));
    this.#signers.set(text, signer);
    return { address, signer };
  }
}
