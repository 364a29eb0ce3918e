import type { Message } from '../../src/filecoin/message.ts';
import type { Payload } from './miner-state.ts';

/** One version of one message. */
export interface SimMessage {
  /** Its intent's id. */
  readonly intent: string;
  readonly version: number;
  readonly payload: Payload;
  readonly message: Message;
}

/** The node's waiting messages of our sender, by nonce. */
export class SimPool {
  readonly #waiting = new Map<number, SimMessage>();

  get(nonce: number): SimMessage | undefined {
    return this.#waiting.get(nonce);
  }

  put(message: SimMessage): void {
    this.#waiting.set(message.message.nonce, message);
  }

  forget(): void {
    this.#waiting.clear();
  }

  /** Takes what a block has room for, in the order of nonces from `nonce` on. */
  take(nonce: number, baseFee: bigint): SimMessage[] {
    const taken: SimMessage[] = [];
    for (let next = nonce; ; next++) {
      const message = this.#waiting.get(next);
      if (message === undefined || message.message.gasFeeCap < baseFee) return taken;
      taken.push(message);
      this.#waiting.delete(next);
    }
  }
}
