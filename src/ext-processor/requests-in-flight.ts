import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type ProverProgress, parseChildLine } from './messages.ts';

export interface RequestOptions {
  /** Ends the wait only: the protocol has no cancel message, so whoever wants the work to end kills the child. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProverProgress) => void;
}

interface Pending {
  readonly onProgress: RequestOptions['onProgress'];
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The signal may outlive many requests. */
  readonly stopListening: () => void;
}

const QUOTED_CHARACTERS = 200;
/** Of Rust programs that run with RUST_BACKTRACE: pages of it. */
const BACKTRACE = /\s*\bStack backtrace:\s/;

/** The requests that one child has not answered yet. */
export class RequestsInFlight {
  readonly #logger: Logger;
  readonly #pending = new Map<number, Pending>();
  // The Go parent counts from 1 too.
  #lastId = 0;

  constructor(components: { readonly logger: Logger }) {
    this.#logger = components.logger;
  }

  add(options: RequestOptions): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = ++this.#lastId;
    const { signal, onProgress } = options;
    const answer = new Promise<unknown>((resolve, reject) => {
      const onAbort = (): void => this.#take(id)?.reject(signal?.reason);
      const stopListening = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, { onProgress, resolve, reject, stopListening });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    return { id, answer };
  }

  /** Anything but a first answer to a request in flight is logged and left. */
  receive(line: string): void {
    const message = parseChildLine(line);
    if (message === undefined) {
      this.#logger.warn({ line: line.slice(0, QUOTED_CHARACTERS) }, 'prover: a line that is not of the protocol');
      return;
    }
    if ('progress' in message) {
      this.#pending.get(message.id)?.onProgress?.(message.progress);
      return;
    }
    const pending = this.#take(message.id);
    if (pending === undefined) {
      this.#logger.warn({ id: message.id }, 'prover: an answer to no request in flight');
    } else if (typeof message.err_msg === 'string') {
      const [reason = ''] = message.err_msg.split(BACKTRACE);
      pending.reject(new CodedError('prover-failed', reason || 'the prover failed and gave no reason'));
    } else if (message.output === undefined || message.output === null) {
      pending.reject(new CodedError('prover-failed', 'the prover answered with neither output nor err_msg'));
    } else {
      pending.resolve(message.output);
    }
  }

  rejectAll(error: unknown): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.stopListening();
    return pending;
  }
}
