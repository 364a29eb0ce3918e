import { CodedError } from '../../../errors/coded-error.ts';
import { formatAddress } from '../../../filecoin/address.ts';
import type { Account, ChainState } from '../state/chain-state.ts';
import { findAccount } from './apply-message.ts';
import { BASE_FEE } from './gas.ts';
import type { ChainMessage } from './tipset.ts';

/** Messages that wait for a block, one for each sender and nonce. */
export class MessagePool {
  readonly #bySender = new Map<number, Map<number, ChainMessage>>();

  get size(): number {
    return [...this.#bySender.values()].reduce((sum, messages) => sum + messages.size, 0);
  }

  /**
   * Takes a message, or replaces the one with its nonce where it offers 1.1 times the premium. `state` is the head's after its
   * messages.
   * @throws CodedError `message-refused` with the node's text
   */
  add(state: ChainState, message: ChainMessage): void {
    const { from, nonce, gasPremium, gasFeeCap } = message.signed.message;
    const refuse = (text: string): CodedError => new CodedError('message-refused', text);
    const sender = findAccount(state, from);
    const name = formatAddress(from);
    if (sender === undefined) throw refuse(`resolving from address ${name}: actor not found`);
    if (gasFeeCap < gasPremium) throw refuse("invalid message: 'GasFeeCap' less than 'GasPremium'");
    if (nonce < sender.nonce)
      throw refuse(`minimum expected nonce is ${sender.nonce}, got ${nonce}: message nonce too low`);
    const messages = this.#messagesOf(sender);
    const there = messages.get(nonce);
    const inPool = `failed to add locked: message from ${name} with nonce ${nonce} already in mpool`;
    if (there?.cid === message.cid) throw refuse(`${inPool}: message with nonce already exists`);
    const wanted = there === undefined ? undefined : replacementPremium(there.signed.message.gasPremium);
    if (wanted !== undefined && gasPremium < wanted) {
      const advice = `increase GasPremium to ${wanted} from ${gasPremium} to trigger replace by fee`;
      throw refuse(`${inPool}, ${advice}: replace by fee has too low GasPremium`);
    }
    messages.set(nonce, message);
  }

  /** Puts back what a block held that is no longer on the chain, unless another message has its place. */
  restore(state: ChainState, messages: readonly ChainMessage[]): void {
    for (const message of messages) {
      const sender = findAccount(state, message.signed.message.from);
      if (sender === undefined) continue;
      const pending = this.#messagesOf(sender);
      if (!pending.has(message.signed.message.nonce))
        pending.set(message.signed.message.nonce, { ...message, isRestored: true });
    }
  }

  /** Drops what the chain has taken: nonces below the accounts' own. */
  prune(state: ChainState): void {
    for (const [id, messages] of this.#bySender) {
      const next = state.accounts.get(id)?.nonce ?? 0;
      for (const nonce of messages.keys()) if (nonce < next) messages.delete(nonce);
    }
  }

  /** What the next block takes, by sender and without gaps in the nonces. */
  select(state: ChainState): ChainMessage[] {
    return [...this.#bySender].flatMap(([id, messages]) => {
      const selected: ChainMessage[] = [];
      let nonce = state.accounts.get(id)?.nonce ?? 0;
      for (let message = messages.get(nonce); message !== undefined; message = messages.get(nonce)) {
        if (message.signed.message.gasFeeCap < BASE_FEE) break;
        selected.push(message);
        nonce++;
      }
      return selected;
    });
  }

  /** The nonce for a new message: after those of the pool that follow on without a gap. */
  nextNonce(sender: Account): number {
    const messages = this.#messagesOf(sender);
    let nonce = sender.nonce;
    while (messages.has(nonce)) nonce++;
    return nonce;
  }

  pending(): ChainMessage[] {
    return [...this.#bySender.values()].flatMap((messages) =>
      [...messages.values()].sort((a, b) => a.signed.message.nonce - b.signed.message.nonce),
    );
  }

  #messagesOf(sender: Account): Map<number, ChainMessage> {
    const messages = this.#bySender.get(sender.id) ?? new Map<number, ChainMessage>();
    this.#bySender.set(sender.id, messages);
    return messages;
  }
}

/** 1.1 times the premium, rounded up. */
const replacementPremium = (premium: bigint): bigint => (premium * 110n) / 100n + 1n;
