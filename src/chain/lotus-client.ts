import { once } from 'node:events';
import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { shownUrl } from '../config/shown-url.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { LotusConnection, type NodeAddress } from './lotus-connection.ts';
import { type LotusMethod, type LotusResult, parseResult } from './lotus-results.ts';

const CALL_LIMIT_MS = 30_000;
const RECONNECT_PAUSE_MS = 250;
const RECONNECT_MAX_PAUSE_MS = 5_000;
/** Of the failed attempts at `RECONNECT_MAX_PAUSE_MS` one a minute is logged. */
const LOGGED_ATTEMPTS = 12;

interface Waiting {
  readonly promise: Promise<LotusConnection>;
  readonly resolve: (connection: LotusConnection) => void;
  readonly reject: (error: unknown) => void;
}

export interface LotusClientInit extends NodeAddress {
  /** Looks at a new connection before anybody may use it; one that it rejects is closed, and made again later. */
  readonly admit: (connection: LotusConnection) => Promise<void>;
  /** The connection was made, or (with the reason) was lost or could not be made. */
  readonly onChange: (trouble: unknown) => void;
}

/** Calls to a chain node over a connection that is made again for ever. */
export class LotusClient {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #init: LotusClientInit;
  readonly #closing = new AbortController();
  #connection = waiting();

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: LotusClientInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#init = init;
    void this.#keepConnected();
  }

  /** The connection, or the next attempt's: nobody waits longer than one attempt for a node that is away. */
  async connection(): Promise<LotusConnection> {
    for (;;) {
      const { promise } = this.#connection;
      const connection = await promise;
      if (!connection.isClosing) return connection;
      if (this.#connection.promise === promise) await once(connection.events, 'close');
    }
  }

  /** @throws CodedError `chain-unavailable`, `chain-error`, `chain-answer`; see `Chain` */
  async call<M extends LotusMethod>(method: M, params: readonly unknown[]): Promise<LotusResult<M>> {
    const call = this.connection().then((connection) => connection.request(method, params));
    return parseResult(method, (await this.limited(method, call)).result);
  }

  /** @throws CodedError `chain-unavailable` when `work` takes longer than a call may */
  async limited<T>(method: string, work: Promise<T>): Promise<T> {
    try {
      return await withTimeLimit(this.#clock, CALL_LIMIT_MS, `the chain node's ${method}`, work);
    } catch (cause) {
      if (errorCode(cause) !== 'time-limit') throw cause;
      throw new CodedError('chain-unavailable', errorText(cause), { cause });
    }
  }

  /** Makes the connection anew. */
  reconnect(): void {
    this.#connection.promise.then((connection) => connection.close()).catch(() => {});
  }

  close(): void {
    this.#closing.abort(new CodedError('chain-unavailable', 'the connection to the chain node was closed'));
    this.#connection.promise.then((connection) => connection.close()).catch(() => {});
    this.#connection.reject(this.#closing.signal.reason);
  }

  /** From the moment on in which it ends, callers wait for the next one. */
  async #ended(connection: LotusConnection): Promise<void> {
    const ended = once(connection.events, 'close');
    connection.events.once('close', () => {
      this.#connection = waiting();
    });
    if (connection.isClosed) connection.events.emit('close');
    await ended;
  }

  async #open(signal: AbortSignal): Promise<LotusConnection> {
    const connection = await LotusConnection.open(this.#clock, this.#init, signal);
    const onAbort = () => connection.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#init.admit(connection);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    const { url, onChange } = this.#init;
    try {
      for (;;) {
        const connection = await retry(
          this.#clock,
          {
            pauseMs: RECONNECT_PAUSE_MS,
            maxPauseMs: RECONNECT_MAX_PAUSE_MS,
            signal,
            onFailure: (error, attempt) => {
              if (attempt === 1 || attempt % LOGGED_ATTEMPTS === 0)
                this.#logger.warn({ url: shownUrl(url), attempt }, errorText(error));
              this.#connection.reject(error);
              this.#connection = waiting();
              onChange(error);
            },
          },
          () => this.#open(signal),
        );
        this.#logger.info({ url: shownUrl(url) }, 'connected to the chain node');
        this.#connection.resolve(connection);
        onChange(undefined);
        await this.#ended(connection);
        signal.throwIfAborted();
        this.#logger.warn({ url: shownUrl(url) }, 'connection to the chain node lost');
        onChange(new CodedError('chain-unavailable', `the connection to the chain node ${shownUrl(url)} was lost`));
        await this.#clock.sleep(RECONNECT_PAUSE_MS, signal);
      }
    } catch (error) {
      // Only `close` ends the loop.
      this.#connection.reject(error);
    }
  }
}

function waiting(): Waiting {
  let resolve: Waiting['resolve'] = () => {};
  let reject: Waiting['reject'] = () => {};
  const promise = new Promise<LotusConnection>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Nobody may be waiting.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
