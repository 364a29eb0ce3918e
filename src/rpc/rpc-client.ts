import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock/clock.ts';
import { Gate } from '../clock/gate.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { MasterAddresses } from './master-addresses.ts';
import {
  type Hello,
  type HelloAnswer,
  type MasterMethods,
  type PeerMethods,
  peerParams,
  RPC_VERSION,
} from './methods.ts';
import { openSocket } from './open-socket.ts';
import { type CallOptions, RpcConnection } from './rpc-connection.ts';
import { isInTheClear, socketUrl } from './socket-address.ts';
import type { ClientTls } from './tls.ts';

export interface RpcClientInit {
  /** `ws://host:port`, `wss://host:port` or `host:port`; the one that leads is used. */
  readonly urls: readonly string[];
  readonly token?: string | undefined;
  /** With it `host:port` means wss://. */
  readonly tls?: ClientTls | undefined;
  readonly reconnectIntervalMs: number;
  /** Said at the start of each connection. */
  readonly hello: () => Omit<Hello, 'version' | 'instance'>;
  /** Called with each good answer to hello, before calls go out. */
  readonly onHello?: (answer: HelloAnswer) => void;
  /** Calls of the master. */
  readonly handlers?: Partial<PeerHandlers>;
}

type PeerHandlers = {
  readonly [M in keyof PeerMethods]: (
    params: PeerMethods[M]['params'],
    attachment?: Uint8Array,
  ) => PeerMethods[M]['result'] | Promise<PeerMethods[M]['result']>;
};

const CALL_LIMIT_MS = 30_000;
/** The largest message is a task: 1.65 MB for three full partitions. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** Trying again does not help: somebody has to change a token or a program. */
const REFUSALS = ['unauthorized', 'forbidden', 'version-mismatch', 'untrusted-master'];
/** Masters are there, and one of them will soon lead. */
const ELECTION_PAUSE_MS = 1_000;
/** Somebody has to give one of two slaves another name, or the other one is just ending. */
const NAME_TAKEN_PAUSE_MS = 5_000;

/** A connection to the master that is made again for as long as the client is open. */
export class RpcClient {
  readonly #components: { readonly clock: Clock; readonly logger: Logger };
  readonly #init: RpcClientInit;
  readonly #connected: Gate;
  readonly #closing = new AbortController();
  readonly #instance = randomUUID();
  #connection: RpcConnection<MasterMethods> | undefined;
  readonly #urls: readonly string[];
  readonly #warned = new Set<string>();
  #lastFailure = 'not tried yet';
  #masterVersion: number | undefined;
  #kept: Promise<void> = Promise.resolve();

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: RpcClientInit) {
    this.#components = components;
    this.#init = init;
    this.#connected = new Gate(components);
    this.#urls = init.urls.map((url) => socketUrl(url, init.tls !== undefined));
  }

  /** That the master spoke last; undefined before the first connection. */
  get masterVersion(): number | undefined {
    return this.#masterVersion;
  }

  get isConnected(): boolean {
    return this.#connected.isOpen;
  }

  /**
   * Resolves with the first connection, however long the master is away.
   * @throws CodedError `unauthorized`, `forbidden`, `version-mismatch`, `untrusted-master` where the first master reached turns us away; the client
   * is closed then. Later on the same is logged and tried again.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#kept = this.#keep(resolve, reject);
    });
  }

  /**
   * Waits for a connection, then for the answer, `timeoutMs` in all.
   * @throws CodedError `not-connected`, or as RpcConnection.call
   */
  async call<M extends keyof MasterMethods>(
    method: M,
    params: MasterMethods[M]['params'],
    options: CallOptions = {},
  ): Promise<MasterMethods[M]['result']> {
    const { clock } = this.#components;
    const limitMs = options.timeoutMs ?? CALL_LIMIT_MS;
    const until = clock.monotonic() + limitMs;
    await this.#connected.wait(limitMs);
    if (this.#connection === undefined) {
      throw new CodedError('not-connected', `${method}: no connection to the master: ${this.#lastFailure}`);
    }
    return this.#connection.call(method, params, { ...options, timeoutMs: Math.max(1, until - clock.monotonic()) });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#kept;
  }

  async #keep(onFirst: () => void, onRefused: (error: unknown) => void): Promise<void> {
    const { clock, logger } = this.#components;
    const { signal } = this.#closing;
    const { reconnectIntervalMs } = this.#init;
    const addresses = new MasterAddresses(this.#urls);
    let wasConnected = false;
    let leading: string | undefined;
    let pauseMs = reconnectIntervalMs;
    while (!signal.aborted) {
      const url = addresses.next();
      if (url === undefined) {
        // Spread, for a thousand slaves lose their master in the same moment.
        await clock.sleep(pauseMs * (0.5 + Math.random() / 2), signal).catch(() => {});
        pauseMs = reconnectIntervalMs;
        addresses.restart(leading);
        continue;
      }
      try {
        const connection = await this.#connect(url);
        const since = clock.monotonic();
        wasConnected = true;
        leading = url;
        onFirst();
        this.#lastFailure = `the connection was lost (${await connection.closed})`;
        // At once, but not on and on with a master that takes us and drops us.
        if (clock.monotonic() - since > reconnectIntervalMs) addresses.restart(leading);
      } catch (error) {
        this.#lastFailure = errorText(error);
        if (!wasConnected && REFUSALS.includes(errorCode(error) ?? '')) return onRefused(error);
        if (error instanceof CodedError && error.code === 'not-leading') {
          addresses.hint(url, error.data.leader);
          pauseMs = Math.min(reconnectIntervalMs, ELECTION_PAUSE_MS);
        }
        if (errorCode(error) === 'name-taken') pauseMs = Math.max(reconnectIntervalMs, NAME_TAKEN_PAUSE_MS);
      }
      this.#connected.shut();
      this.#connection = undefined;
      if (!signal.aborted) logger.warn({ url, reason: this.#lastFailure }, 'rpc: not connected to the master');
    }
    onRefused(new CodedError('not-connected', 'the client was closed'));
  }

  async #connect(url: string): Promise<RpcConnection<MasterMethods>> {
    const { hello, onHello, handlers = {}, token, tls } = this.#init;
    if (token !== undefined && isInTheClear(url) && !this.#warned.has(url)) {
      this.#warned.add(url);
      const help = 'use wss:// or a tunnel, unless the network is trusted';
      this.#components.logger.warn({ url }, `rpc: the token travels unencrypted: ${help}`);
    }
    const opened = await openSocket(url, {
      token,
      tls,
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
      signal: this.#closing.signal,
    });
    const connection = new RpcConnection<MasterMethods>(
      { ...this.#components, ...opened },
      {
        params: peerParams,
        answer(method, params, attachment) {
          const handler = handlers[method as keyof PeerMethods] as
            | ((params: unknown, attachment?: Uint8Array) => unknown)
            | undefined;
          if (handler === undefined) throw new CodedError('unknown-method', `${method} is not answered here`);
          return handler(params, attachment);
        },
      },
    );
    const { signal } = this.#closing;
    // Not only by openSocket's polite close: a master that stands still would never answer it.
    const end = (): void => connection.close('the client was closed');
    signal.addEventListener('abort', end, { once: true });
    void connection.closed.then(() => signal.removeEventListener('abort', end));
    try {
      const answer = await connection.call('hello', { version: RPC_VERSION, instance: this.#instance, ...hello() });
      if (Math.abs(answer.version - RPC_VERSION) > 1) {
        throw new CodedError(
          'version-mismatch',
          `the master at ${url} speaks version ${answer.version}, this program ${RPC_VERSION}`,
        );
      }
      this.#connection = connection;
      this.#masterVersion = answer.version;
      onHello?.(answer);
      this.#connected.open();
    } catch (error) {
      connection.close('no good hello');
      throw error;
    }
    this.#components.logger.info({ url }, 'rpc: connected to the master');
    return connection;
  }
}
