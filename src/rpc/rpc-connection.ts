import {
  createJSONRPCErrorResponse,
  createJSONRPCRequest,
  isJSONRPCRequest,
  isJSONRPCResponse,
  JSONRPCClient,
  type JSONRPCRequest,
  type JSONRPCResponse,
  JSONRPCServer,
} from 'json-rpc-2.0';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import { type InboundLimits, InboundMeter } from './inbound-limits.ts';
import { answersPing, watchLiveness } from './liveness.ts';
import type { MethodMap } from './methods.ts';
import type { OpenSocket } from './open-socket.ts';
import { fromRpcError, toErrorResponse } from './rpc-errors.ts';
import { CONNECTION_LOST, SocketWriter } from './socket-writer.ts';

export interface CallOptions {
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Bytes that go with the call as they are. Only to a side that speaks version 2 or later. */
  readonly attachment?: Uint8Array | undefined;
}

const CALL_LIMIT_MS = 30_000;
/** For the other side to answer a close. */
const CLOSE_LIMIT_MS = 1_000;
const MAX_CALLS = 10_000;

export interface RpcConnectionInit {
  /** Params of the methods that this side answers. */
  readonly params: Record<string, z.ZodType>;
  /** None for a side that is trusted. */
  readonly limits?: InboundLimits;
  /** Answers a call whose params were checked. What it throws as CodedError the caller gets, code, message and data. */
  readonly answer: (method: string, params: unknown, attachment?: Uint8Array) => unknown;
}

type Attachment = Uint8Array | undefined;

/** One duplex peer on an open socket; `Out` are the methods that the other side answers. */
export class RpcConnection<Out extends MethodMap> {
  /** Resolves with the reason when the socket has closed. */
  readonly closed: Promise<string>;
  readonly #clock: Clock;
  readonly #socket: WebSocket;
  readonly #logger: Logger;
  readonly #writer: SocketWriter;
  readonly #meter: InboundMeter | undefined;
  readonly #server: JSONRPCServer<Attachment>;
  readonly #client: JSONRPCClient<Attachment>;
  /** Ids of calls that the other side has still to answer. */
  readonly #awaited = new Set<number>();
  #lastId = 0;
  #closeReason: string | undefined;
  #complained = false;

  constructor(components: { readonly clock: Clock; readonly logger: Logger } & OpenSocket, init: RpcConnectionInit) {
    this.#clock = components.clock;
    this.#socket = components.socket;
    this.#logger = components.logger;
    this.#writer = new SocketWriter(components);
    this.#meter = init.limits && new InboundMeter(components, init.limits);
    // Errors of handlers are answered to the caller and logged where they are thrown.
    this.#server = new JSONRPCServer<Attachment>({ errorListener: () => {} });
    this.#server.mapErrorToJSONRPCErrorResponse = toErrorResponse;
    for (const [method, schema] of Object.entries(init.params)) {
      this.#server.addMethod(method, async (params, attachment) => {
        return (await this.#answer(init, method, schema, { params, attachment })) ?? null;
      });
    }
    this.#client = new JSONRPCClient((payload, attachment) => this.#send(payload, attachment));
    // A Buffer, as binaryType is left as it is.
    this.#socket.on('message', (data, isBinary) => {
      this.#receive(data as Buffer, isBinary).catch((err) => this.#logger.error({ err }, 'rpc: a message failed'));
    });
    // 'close' follows and says what matters.
    this.#socket.on('error', (error) => this.#logger.debug({ error: error.message }, 'rpc: socket error'));
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', (code, reason) => {
        this.#client.rejectAllPendingRequests(CONNECTION_LOST);
        resolve(this.#closeReason ?? (reason.toString() || `code ${code}`));
      });
    });
    watchLiveness(components);
  }

  /**
   * @throws CodedError `connection-lost` (whether the other side acted is not known), `time-limit`, `too-many-calls`, or what
   * the other side threw
   */
  async call<M extends keyof Out & string>(
    method: M,
    params: Out[M]['params'],
    options: CallOptions = {},
  ): Promise<Out[M]['result']> {
    if (this.#awaited.size >= MAX_CALLS) {
      throw new CodedError('too-many-calls', `${method}: ${MAX_CALLS} calls wait for an answer on this connection`);
    }
    await this.#writer.room();
    const limitMs = options.timeoutMs ?? CALL_LIMIT_MS;
    const tooLate = (id: string | number | null) =>
      createJSONRPCErrorResponse(id, 0, `${method} was not answered within ${limitMs} ms`, { code: 'time-limit' });
    const id = ++this.#lastId;
    this.#awaited.add(id);
    try {
      const request = createJSONRPCRequest(id, method, params);
      const { result, error } = await this.#client
        .timeout(limitMs, tooLate)
        .requestAdvanced(request, options.attachment);
      if (error === undefined) return result;
      if (error.message === CONNECTION_LOST && error.code === 0) {
        throw new CodedError('connection-lost', `${method}: the connection was lost`, { method });
      }
      throw fromRpcError(error, method);
    } finally {
      this.#awaited.delete(id);
    }
  }

  /** Sent and forgotten. */
  notify<M extends keyof Out & string>(method: M, params: Out[M]['params']): void {
    this.#client.notify(method, params, undefined);
  }

  /** Whether anything comes from the other side within the limit, asked by a ping of the socket. */
  async answers(limitMs: number): Promise<boolean> {
    return await answersPing({ clock: this.#clock, socket: this.#socket }, limitMs);
  }

  /** The reason reaches the other side, at most 123 bytes of it. What comes from there is not looked at any more. */
  close(reason: string): void {
    this.#closeReason ??= reason;
    this.#socket.close(1000, Buffer.from(reason).subarray(0, 123));
    this.#clock.after(CLOSE_LIMIT_MS, () => this.#socket.terminate());
  }

  async #receive(data: Buffer, isBinary: boolean): Promise<void> {
    if (this.#closeReason !== undefined) return;
    const frame = isBinary ? decodeFrame(data) : { text: data.toString() };
    const message = parse(frame?.text ?? '');
    if (isJSONRPCRequest(message) && typeof message.method === 'string') {
      await this.#serve(message, frame?.attachment, data.length);
    } else if (!isJSONRPCResponse(message)) {
      this.#complain('a message that is not JSON-RPC', data.length);
    } else if (typeof message.id === 'number' && this.#awaited.delete(message.id)) {
      this.#client.receive(message);
    } else {
      this.#complain('an answer that nobody waits for', data.length);
    }
  }

  async #serve(request: JSONRPCRequest, attachment: Attachment, bytes: number): Promise<void> {
    const refusal = this.#meter?.begin(bytes);
    if (refusal !== undefined) {
      const message = `${request.method}: ${refusal}: ask again later, and less often`;
      if (this.#bears(bytes))
        this.#respond(toErrorResponse(request.id ?? null, new CodedError('too-many-requests', message)));
      return;
    }
    const response = await this.#server.receive(request, attachment);
    this.#meter?.end(bytes);
    if (response !== null) this.#respond(response);
  }

  async #answer(
    init: RpcConnectionInit,
    method: string,
    schema: z.ZodType,
    call: { readonly params: unknown; readonly attachment: Attachment },
  ): Promise<unknown> {
    const parsed = schema.safeParse(call.params);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const field = issue?.path.join('.') || 'params';
      throw new CodedError('bad-params', `${method}: ${field}: ${issue?.message}`);
    }
    try {
      return await init.answer(method, parsed.data, call.attachment);
    } catch (error) {
      if (!(error instanceof CodedError)) this.#logger.error({ err: error, method }, 'rpc: a handler failed');
      throw error;
    }
  }

  /** Said once: whoever sends one such message may send a million. */
  #complain(what: string, bytes: number): void {
    if (!this.#complained) this.#logger.warn({ what, bytes }, 'rpc: a message is ignored, and others like it');
    this.#complained = true;
    this.#bears(bytes);
  }

  #bears(bytes: number): boolean {
    const bears = this.#meter?.bears(bytes) ?? true;
    if (!bears) this.close('too many messages that are refused or no calls at all');
    return bears;
  }

  #respond(response: JSONRPCResponse): void {
    this.#send(response).catch(() => this.#logger.debug('rpc: an answer found its connection closed'));
  }

  #send(payload: unknown, attachment?: Uint8Array): Promise<void> {
    const text = JSON.stringify(payload);
    return this.#writer.write(attachment === undefined ? text : encodeFrame(text, attachment));
  }
}

/** An empty object for what is none. */
function parse(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
