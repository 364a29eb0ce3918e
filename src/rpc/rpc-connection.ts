import { createJSONRPCErrorResponse, JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from 'json-rpc-2.0';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { watchLiveness } from './liveness.ts';
import type { MethodMap } from './methods.ts';
import { fromRpcError, toErrorResponse } from './rpc-errors.ts';

export interface CallOptions {
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

const CALL_LIMIT_MS = 30_000;
/** For the other side to answer a close. */
const CLOSE_LIMIT_MS = 1_000;
const CONNECTION_LOST = 'connection lost';

export interface RpcConnectionInit {
  /** Params of the methods that this side answers. */
  readonly params: Record<string, z.ZodType>;
  /** Asked before anything is done for a call; what it throws the caller gets. */
  readonly admit?: (method: string) => void;
  /** Answers a call whose params were checked. What it throws as CodedError the caller gets, code and message. */
  readonly answer: (method: string, params: unknown) => unknown;
}

/** One duplex peer on an open socket; `Out` are the methods that the other side answers. */
export class RpcConnection<Out extends MethodMap> {
  /** Resolves with the reason when the socket has closed. */
  readonly closed: Promise<string>;
  readonly #clock: Clock;
  readonly #socket: WebSocket;
  readonly #logger: Logger;
  readonly #rpc: JSONRPCServerAndClient;

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger; readonly socket: WebSocket },
    init: RpcConnectionInit,
  ) {
    this.#clock = components.clock;
    this.#socket = components.socket;
    this.#logger = components.logger;
    // Errors of handlers are answered to the caller and logged where they are thrown.
    const quiet = { errorListener: () => {} };
    const server = new JSONRPCServer(quiet);
    server.mapErrorToJSONRPCErrorResponse = toErrorResponse;
    for (const [method, schema] of Object.entries(init.params)) {
      server.addMethod(method, async (params) => (await this.#answer(init, method, schema, params)) ?? null);
    }
    this.#rpc = new JSONRPCServerAndClient(server, new JSONRPCClient((payload) => this.#send(payload)), quiet);
    this.#socket.on('message', (data) => void this.#receive(data.toString()));
    // 'close' follows and says what matters.
    this.#socket.on('error', (error) => this.#logger.debug({ error: error.message }, 'rpc: socket error'));
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', (code, reason) => {
        this.#rpc.client.rejectAllPendingRequests(CONNECTION_LOST);
        resolve(reason.toString() || `code ${code}`);
      });
    });
    watchLiveness(components);
  }

  /**
   * @throws CodedError `connection-lost` (whether the other side acted is not known), `time-limit`, or what the other side threw
   */
  async call<M extends keyof Out & string>(
    method: M,
    params: Out[M]['params'],
    options: CallOptions = {},
  ): Promise<Out[M]['result']> {
    const limitMs = options.timeoutMs ?? CALL_LIMIT_MS;
    const tooLate = (id: string | number | null) =>
      createJSONRPCErrorResponse(id, 0, `${method} was not answered within ${limitMs} ms`, { code: 'time-limit' });
    try {
      return await this.#rpc.client.timeout(limitMs, tooLate).request(method, params);
    } catch (error) {
      if (error instanceof Error && error.message === CONNECTION_LOST) {
        throw new CodedError('connection-lost', `${method}: the connection was lost`, { method });
      }
      throw fromRpcError(error, method);
    }
  }

  /** Sent and forgotten. */
  notify<M extends keyof Out & string>(method: M, params: Out[M]['params']): void {
    this.#rpc.notify(method, params);
  }

  /** The reason reaches the other side, at most 123 bytes of it. */
  close(reason: string): void {
    this.#socket.close(1000, reason.slice(0, 123));
    this.#clock.after(CLOSE_LIMIT_MS, () => this.#socket.terminate());
  }

  async #answer(init: RpcConnectionInit, method: string, schema: z.ZodType, params: unknown): Promise<unknown> {
    init.admit?.(method);
    const parsed = schema.safeParse(params);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const field = issue?.path.join('.') || 'params';
      throw new CodedError('bad-params', `${method}: ${field}: ${issue?.message}`);
    }
    try {
      return await init.answer(method, parsed.data);
    } catch (error) {
      if (!(error instanceof CodedError)) this.#logger.error({ err: error, method }, 'rpc: a handler failed');
      throw error;
    }
  }

  async #receive(text: string): Promise<void> {
    try {
      await this.#rpc.receiveAndSend(JSON.parse(text), undefined, undefined);
    } catch {
      this.#logger.warn({ bytes: text.length }, 'rpc: a message that is not JSON-RPC');
    }
  }

  #send(payload: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) reject(new Error(CONNECTION_LOST));
      else
        this.#socket.send(JSON.stringify(payload), (error) => (error ? reject(new Error(CONNECTION_LOST)) : resolve()));
    });
  }
}
