import { EventEmitter } from 'node:events';
import { JSONRPCClient, type JSONRPCResponse } from 'json-rpc-2.0';
import { WebSocket } from 'ws';
import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { shownUrl } from '../config/shown-url.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';

/** Longer than a healthy node needs, short against an epoch. */
const CONNECT_LIMIT_MS = 10_000;
/** A connection on which nothing came for this long, pings answered included, is dead. */
const PING_INTERVAL_MS = 10_000;

/** What json-rpc-2.0 makes up for a request that could not be sent or lost its connection; nodes have no such code. */
const NEVER_ANSWERED = 0;

/** A message of a channel: `xrpc.ch.val` [id, value] or `xrpc.ch.close` [id]. */
export interface ChannelMessage {
  readonly channel: number;
  /** Absent: the node closed the channel. */
  readonly value?: unknown;
}

export interface NodeAddress {
  /** A WebSocket. */
  readonly url: string;
  readonly token: string | undefined;
  /** Default: a chain node. */
  readonly service?: Service;
}

/** What speaks go-jsonrpc there. */
export interface Service {
  /** Stands before each method. */
  readonly namespace: string;
  /** For people. */
  readonly title: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const CHAIN_NODE: Service = { namespace: 'Filecoin', title: 'chain node' };

/** One WebSocket to a chain node, or to another service that speaks as it does. It never comes back: when it closes, everything under way rejects. */
export class LotusConnection {
  /** Messages of all channels in order of arrival; `close` when the connection ends. */
  readonly events = new EventEmitter<{ message: [ChannelMessage]; close: [] }>();
  readonly #socket: WebSocket;
  readonly #client: JSONRPCClient;
  readonly #clock: Clock;
  readonly #service: Service;
  #lastId = 0;
  #alive = true;
  #callOffPing: () => void = () => {};

  private constructor(clock: Clock, socket: WebSocket, service: Service) {
    this.#clock = clock;
    this.#service = service;
    this.#socket = socket;
    this.#client = new JSONRPCClient((payload) => this.#send(payload));
    socket.once('close', () => {
      this.#callOffPing();
      this.events.emit('close');
      this.#client.rejectAllPendingRequests('connection lost');
    });
    // Followed by `close`, which tells everybody.
    socket.on('error', () => {});
    socket.on('message', (data) => this.#receive(data.toString()));
    for (const event of ['message', 'ping', 'pong'])
      socket.on(event, () => {
        this.#alive = true;
      });
    this.#watch();
  }

  /** @throws CodedError `chain-unavailable` saying what to check; {refused} the token, {missing} the path */
  static async open(clock: Clock, address: NodeAddress, signal: AbortSignal): Promise<LotusConnection> {
    const { url, token, service = CHAIN_NODE } = address;
    const socket = new WebSocket(url, {
      headers: { ...service.headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      perMessageDeflate: false,
    });
    const onAbort = () => socket.terminate();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const opened = new Promise<LotusConnection>((resolve, reject) => {
        socket.once('open', () => resolve(new LotusConnection(clock, socket, service)));
        socket.on('error', reject);
      });
      return await withTimeLimit(clock, CONNECT_LIMIT_MS, `the ${service.title}`, opened);
    } catch (cause) {
      socket.terminate();
      throw new CodedError(
        'chain-unavailable',
        `${service.title} ${shownUrl(url)} cannot be reached: ${whatToDo(cause)}`,
        {
          cause,
          refused: isRefused(cause),
          missing: isMissing(cause),
        },
      );
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Calls a method, named without its namespace, and gives the result as it came. A channel is cancelled by its request's `id`.
   * @throws CodedError `chain-unavailable`, `chain-error` {rpcCode, nodeMessage}
   */
  async request(
    method: string,
    params: readonly unknown[],
  ): Promise<{ readonly id: number; readonly result: unknown }> {
    const id = ++this.#lastId;
    const request = { jsonrpc: '2.0', id, method: `${this.#service.namespace}.${method}`, params } as const;
    const { result, error } = await this.#client.requestAdvanced(request);
    if (error === undefined) return { id, result };
    const { code, message } = error;
    if (code === NEVER_ANSWERED) throw new CodedError('chain-unavailable', `${method}: ${message}`, { lost: true });
    throw new CodedError('chain-error', `the ${this.#service.title} answered ${method} with: ${message}`, {
      rpcCode: code,
      nodeMessage: message,
    });
  }

  notify(method: string, params: readonly unknown[]): void {
    this.#client.notify(method, params);
  }

  get isClosed(): boolean {
    return this.#socket.readyState === WebSocket.CLOSED;
  }

  /** Nothing can be sent on it any more. */
  get isClosing(): boolean {
    return this.#socket.readyState >= WebSocket.CLOSING;
  }

  close(): void {
    this.#socket.terminate();
  }

  #send(payload: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(JSON.stringify(payload), (error) => (error ? reject(error) : resolve()));
    });
  }

  #receive(text: string): void {
    const frame = parseFrame(text);
    if (frame === undefined) {
      this.close();
      return;
    }
    if (!('method' in frame)) {
      this.#client.receive(frame as unknown as JSONRPCResponse);
      return;
    }
    const params: unknown[] = Array.isArray(frame.params) ? frame.params : [];
    const channel = Number(params[0]);
    if (frame.method === 'xrpc.ch.val') this.events.emit('message', { channel, value: params[1] });
    if (frame.method === 'xrpc.ch.close') this.events.emit('message', { channel });
  }

  #watch(): void {
    this.#callOffPing = this.#clock.after(PING_INTERVAL_MS, () => {
      if (!this.#alive) {
        this.close();
        return;
      }
      this.#alive = false;
      this.#socket.ping();
      this.#watch();
    });
  }
}

/** A JSON object, or undefined. */
function parseFrame(text: string): Record<string, unknown> | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null && !Array.isArray(frame) ? { ...frame } : undefined;
  } catch {
    return undefined;
  }
}

const isMissing = (error: unknown): boolean => errorText(error).includes('Unexpected server response: 404');

const isRefused = (error: unknown): boolean => errorText(error).includes('Unexpected server response: 401');

function whatToDo(error: unknown): string {
  const text = errorText(error);
  if (isRefused(error)) return 'it refuses the token; check the configured one';
  if (isMissing(error)) return 'nothing answers at this path; Lotus listens at /rpc/v1';
  if (errorCode(error) === 'ECONNREFUSED') return 'connection refused; check the address and that the node runs';
  return text;
}
