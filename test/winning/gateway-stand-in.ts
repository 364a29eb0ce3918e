import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { EventQueue } from '../support/event-queue.ts';

export interface Listener {
  readonly miner: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly Id: string;
  readonly Payload: string | null;
  readonly Error: string;
}

interface Channel {
  readonly miner: string;
  readonly socket: WebSocket;
}

/**
 * A gateway as sophon-gateway is to its provers: go-jsonrpc over a WebSocket, events of a miner in a channel, one connection picked for
 * each request, answers matched by id.
 */
export class GatewayStandIn {
  /** A prover began to listen. */
  readonly listeners = new EventQueue<Listener>();
  /** Whether it takes connections. */
  isUp = true;
  readonly #server: WebSocketServer;
  readonly #channels = new Map<number, Channel>();
  readonly #asked = new Map<string, (answer: Answer) => void>();
  #lastChannel = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      socket.on('close', () => this.#forget(({ socket: of }) => of === socket));
      socket.on('message', (data) => {
        const frame = JSON.parse(data.toString()) as { id: number; method: string; params: unknown[] };
        if (frame.method === 'Gateway.ListenProofEvent') {
          const { MinerAddress: miner } = frame.params[0] as { MinerAddress: string };
          const channel = ++this.#lastChannel;
          this.#channels.set(channel, { miner, socket });
          send(socket, { id: frame.id, result: channel });
          this.#tell(channel, 'InitConnect', { ChannelId: randomUUID() });
          this.listeners.push({ miner, path: request.url ?? '', headers: request.headers });
        } else if (frame.method === 'Gateway.ResponseProofEvent') {
          const answer = frame.params[0] as Answer;
          const waiting = this.#asked.get(answer.Id);
          this.#asked.delete(answer.Id);
          waiting?.(answer);
          // A result of nothing is left out by older go-jsonrpc.
          const unknown = { code: 1, message: `request id ${answer.Id} not exit` };
          send(socket, { id: frame.id, ...(waiting === undefined && { error: unknown }) });
        } else send(socket, { id: frame.id, error: { code: -32601, message: `method '${frame.method}' not found` } });
      });
    });
  }

  /** @param init.paths of the API that it has; others are answered 404 */
  static async start(
    init: { readonly paths?: readonly string[]; readonly token?: string } = {},
  ): Promise<GatewayStandIn> {
    const { paths = ['/rpc/v0', '/rpc/v1', '/rpc/v2'], token } = init;
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      verifyClient({ req }, done) {
        if (!standIn.isUp) return done(false, 503);
        if (!paths.includes(req.url ?? '')) return done(false, 404);
        done(token === undefined || req.headers.authorization === `Bearer ${token}`, 401);
      },
    });
    const standIn = new GatewayStandIn(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return standIn;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Sends an event to one of those that listen for the miner; resolves with the answer to it. */
  ask(miner: string, payload: unknown, method = 'ComputeProof'): Promise<Answer> {
    const [channel] = [...this.#channels].find(([, { miner: of }]) => of === miner) ?? [];
    if (channel === undefined) throw new Error(`no connections for this miner ${miner}`);
    const id = this.#tell(channel, method, payload);
    return new Promise((resolve) => this.#asked.set(id, resolve));
  }

  /** Ends all channels; the connections stay. */
  closeChannels(): void {
    for (const [channel, { socket }] of this.#channels) send(socket, { method: 'xrpc.ch.close', params: [channel] });
    this.#channels.clear();
  }

  /** Cuts all connections. */
  drop(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #tell(channel: number, method: string, payload: unknown): string {
    const socket = this.#channels.get(channel)?.socket;
    const id = randomUUID();
    const event = { Id: id, Method: method, Payload: Buffer.from(JSON.stringify(payload)).toString('base64') };
    if (socket !== undefined) send(socket, { method: 'xrpc.ch.val', params: [channel, event] });
    return id;
  }

  #forget(matches: (channel: Channel) => boolean): void {
    for (const [id, channel] of this.#channels) if (matches(channel)) this.#channels.delete(id);
  }
}

function send(socket: WebSocket, frame: object): void {
  socket.send(JSON.stringify({ jsonrpc: '2.0', ...frame }));
}

/** Proofs as an answer has them. */
export function proofsOf({ Payload, Error: error }: Answer): { PoStProof: number; ProofBytes: string }[] {
  if (error !== '' || Payload === null) throw new Error(`no proof: ${error}`);
  return JSON.parse(Buffer.from(Payload, 'base64').toString());
}
