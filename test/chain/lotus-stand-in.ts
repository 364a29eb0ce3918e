import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { recorded } from './recorded.ts';

/** The node's own error answer. */
export class NodeError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Handler = (...params: never[]) => unknown;

export interface LotusStandIn {
  readonly url: string;
  readonly port: number;
  /** Methods (without namespace) in the order in which they came. */
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[];
  /** A method whose handler is absent is never answered. */
  readonly handlers: Map<string, Handler>;
  /** Sends head changes (their JSON) to all subscribers. */
  sendHeads(changes: unknown): void;
  /** Sends a value of a channel that nobody has. */
  sendStray(value: unknown): void;
  /** Ends all channels as a node does with a slow reader. */
  closeChannels(): void;
  /** Cuts all connections. */
  drop(): void;
  /** Stops reading and answering, pings included; the connections stay. */
  freeze(): void;
  connections(): number;
  close(): Promise<void>;
}

/** A WebSocket server that speaks go-jsonrpc as Lotus does, with scripted answers. */
export async function startLotusStandIn(init: { port?: number; token?: string } = {}): Promise<LotusStandIn> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: init.port ?? 0,
    verifyClient: ({ req }: { req: IncomingMessage }) =>
      init.token === undefined || req.headers.authorization === `Bearer ${init.token}`,
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const calls: LotusStandIn['calls'] = [];
  const handlers = new Map<string, Handler>();
  const channels = new Map<WebSocket, { channel: number; request: unknown }>();
  let lastChannel = 0;
  const send = (socket: WebSocket, frame: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...frame }));

  server.on('connection', (socket) => {
    socket.on('close', () => channels.delete(socket));
    socket.on('message', async (data) => {
      const frame = JSON.parse(data.toString()) as { id?: number; method: string; params: never[] };
      if (frame.method === 'xrpc.cancel') {
        const channel = channels.get(socket);
        channels.delete(socket);
        if (channel) send(socket, { method: 'xrpc.ch.close', params: [channel.channel] });
        return;
      }
      const method = frame.method.replace('Filecoin.', '');
      // Asked on each connection; not of interest to tests of calls.
      if (method === 'ChainGetGenesis') {
        const result = handlers.has(method) ? handlers.get(method)?.() : recorded('chain-get-genesis').response?.result;
        send(socket, { id: frame.id, result });
        return;
      }
      calls.push({ method, params: frame.params });
      if (method === 'ChainNotify') {
        const channel = ++lastChannel;
        send(socket, { id: frame.id, result: channel });
        channels.set(socket, { channel, request: frame.id });
        const current = handlers.get('ChainNotify')?.();
        if (current !== undefined) send(socket, { method: 'xrpc.ch.val', params: [channel, current] });
        return;
      }
      const handler = handlers.get(method);
      if (handler === undefined) return;
      try {
        send(socket, { id: frame.id, result: (await handler(...frame.params)) ?? null });
      } catch (error) {
        const code = error instanceof NodeError ? error.code : 1;
        send(socket, {
          id: frame.id,
          error: { code, message: error instanceof Error ? error.message : String(error) },
        });
      }
    });
  });

  const tell = (method: string, ...values: unknown[]) => {
    for (const [socket, { channel }] of channels) send(socket, { method, params: [channel, ...values] });
  };
  const drop = () => {
    for (const socket of server.clients) socket.terminate();
  };
  return {
    url: `ws://127.0.0.1:${port}/rpc/v1`,
    port,
    calls,
    handlers,
    sendHeads: (changes) => tell('xrpc.ch.val', changes),
    sendStray: (value) => {
      for (const socket of server.clients) send(socket, { method: 'xrpc.ch.val', params: [lastChannel + 1, value] });
    },
    closeChannels: () => {
      tell('xrpc.ch.close');
      channels.clear();
    },
    drop,
    freeze: () => {
      for (const socket of server.clients) socket.pause();
    },
    connections: () => server.clients.size,
    close: () =>
      new Promise((resolve) => {
        drop();
        server.close(() => resolve());
      }),
  };
}
