import type { TipSet } from '../chain/tipset.ts';
import { isDatabaseTrouble } from '../database/database-errors.ts';
import { errorCode } from '../errors/coded-error.ts';
import { type Address, formatAddress } from '../filecoin/address.ts';
import type { OutboxComponents } from './components.ts';
import { deliver } from './deliver.ts';
import { openMessages, storeTrouble } from './message-store.ts';
import { nodeText } from './node-answers.ts';
import type { MessageStateName, OpenMessage } from './outbox-message.ts';
import { signIntended } from './sign.ts';

/**
 * Sends the messages whose intents are stored, each once, in nonce order for each sender, until they landed. All state is in the
 * database: another process, or this one after a crash, goes on at any point.
 */
export class Outbox {
  readonly #components: OutboxComponents;
  /** Sender → its key address; an account's key never changes. */
  readonly #signers = new Map<string, Address>();

  constructor(components: OutboxComponents) {
    this.#components = components;
  }

  /**
   * Takes every open message as far as this head lets it; true if a state changed. Trouble with one message is logged, stored with
   * it, and tried again at the next call. Safe beside another call, in this process or another.
   * @throws CodedError `database-unavailable` and others of the database
   */
  async advance(head: TipSet): Promise<boolean> {
    const lines = new Map<string, OpenMessage[]>();
    for (const message of await openMessages(this.#components.db)) {
      const sender = formatAddress(message.sender);
      lines.set(sender, [...(lines.get(sender) ?? []), message]);
    }
    const changes = await Promise.all([...lines.values()].map((line) => this.#advanceLine(line, head)));
    return changes.includes(true);
  }

  /** One sender's messages one after the other, since the nonce of the next depends on what is stored of the ones before. */
  async #advanceLine(line: readonly OpenMessage[], head: TipSet): Promise<boolean> {
    const { clock, logger, db } = this.#components;
    let changed = false;
    let firstInLine = true;
    for (const message of line) {
      try {
        const state = await this.#advanceMessage(message, firstInLine, head);
        if (state !== message.state) changed = true;
        if (state === 'signed' || state === 'pushed') firstInLine = false;
      } catch (error) {
        if (isDatabaseTrouble(error)) throw error;
        logger.warn({ err: error, message: message.id, minerId: message.minerId }, 'sending a message failed');
        await storeTrouble(db, message, nodeText(error), clock.now());
        // The others would wait as long for the same answer.
        if (errorCode(error) === 'chain-unavailable') return changed;
        if (message.state !== 'intended') firstInLine = false;
      }
    }
    return changed;
  }

  async #advanceMessage(message: OpenMessage, firstInLine: boolean, head: TipSet): Promise<MessageStateName> {
    if (message.state !== 'intended') return await deliver(this.#components, message, firstInLine, head);
    const signed = await signIntended(this.#components, message, await this.#signerOf(message.sender, head), head);
    if (typeof signed === 'string') return signed;
    return await deliver(this.#components, signed, firstInLine, head);
  }

  async #signerOf(sender: Address, head: TipSet): Promise<Address> {
    const text = formatAddress(sender);
    const known = this.#signers.get(text);
    if (known !== undefined) return known;
    const signer = await this.#components.chain.accountKey(sender, head.key);
    this.#signers.set(text, signer);
    return signer;
  }
}
