import type { Clock } from '../clock/clock.ts';
import { type Rate, RateLimit } from './rate-limit.ts';

export interface InboundLimits {
  /** Messages of any kind but the answers to our own calls. */
  readonly messages: Rate;
  /** What is refused, or is no message of ours at all, in units of a message of 64 KiB; past it the connection is closed. */
  readonly patience: Rate;
  /** Being answered at the same time. */
  readonly calls: number;
  /** Of the calls being answered, attachments too. */
  readonly bytes: number;
}

const UNIT_BYTES = 65_536;

/** Keeps count of what the other side of one connection asks of this one. */
export class InboundMeter {
  readonly #limits: InboundLimits;
  readonly #messages: RateLimit;
  readonly #patience: RateLimit;
  #calls = 0;
  #bytes = 0;

  constructor(components: { readonly clock: Clock }, limits: InboundLimits) {
    this.#limits = limits;
    this.#messages = new RateLimit(components, limits.messages);
    this.#patience = new RateLimit(components, limits.patience);
  }

  /** Why a call of that size is not answered; undefined: it is, and `end` has to follow. */
  begin(bytes: number): string | undefined {
    const { messages, calls, bytes: most } = this.#limits;
    if (!this.#messages.take()) return `${messages.perSecond} messages a second are answered on one connection`;
    if (this.#calls >= calls) return `${calls} calls at the same time are answered on one connection`;
    // A single call is bounded by the payload limit.
    if (this.#calls > 0 && this.#bytes + bytes > most)
      return `calls of ${most} bytes in all are answered at the same time`;
    this.#calls++;
    this.#bytes += bytes;
    return undefined;
  }

  end(bytes: number): void {
    this.#calls--;
    this.#bytes -= bytes;
  }

  /** Whether one more bad message of that size is put up with. */
  bears(bytes: number): boolean {
    return this.#patience.take(1 + Math.floor(bytes / UNIT_BYTES));
  }
}
