import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { HelloAnswer, TaskView } from '../../src/rpc/methods.ts';
import type { MasterHandlers, RpcPeer } from '../../src/rpc/peer-session.ts';
import { RpcClient, type RpcClientInit } from '../../src/rpc/rpc-client.ts';
import { RpcServer, type RpcServerInit } from '../../src/rpc/rpc-server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent' });

export const greeting: HelloAnswer = { version: 1, master: 'm', heartbeatTimeoutMs: 15_000, closed: [] };

export const view: TaskView = {
  id: 'a',
  state: 'waiting',
  closeAt: null,
  retryCount: 0,
  attempts: 0,
  slave: null,
  phase: null,
  done: 0,
  total: 0,
  createdAt: 1,
  startedAt: null,
  finishedAt: null,
  output: null,
  error: null,
};

const verdict = { accepted: true, reason: null };

/** A master of scripted answers on a port of the system's choice, closed after the test. */
export async function startServer(
  options: Partial<RpcServerInit> & { readonly handlers?: Partial<MasterHandlers>; readonly clock?: Clock } = {},
) {
  const { handlers = {}, clock = systemClock, ...init } = options;
  const peers: RpcPeer[] = [];
  const server = new RpcServer(
    {
      clock,
      logger,
      handlers: {
        hello: async (_params, peer) => {
          peers.push(peer);
          return greeting;
        },
        'task.submit': async () => view,
        'task.get': async () => null,
        'task.cancel': async () => null,
        'task.refuse': async () => null,
        'task.rehearse': async () => ({ proofs: [], faults: [] }),
        'stores.tell': async () => null,
        'slave.heartbeat': async () => ({ closed: [] }),
        'attempt.finish': async () => verdict,
        'attempt.fail': async () => verdict,
        'batch.prove': async () => ({ proofs: [], faults: [] }),
        'tasks.list': async () => [],
        'tasks.show': async () => null,
        'tasks.reset': async () => null,
        'tasks.cancel': async () => null,
        'tasks.remove': async () => ({ removed: false }),
        'tasks.archive': async () => ({ archived: 0 }),
        'slaves.list': async () => [],
        'slaves.drain': async () => null,
        'slaves.resume': async () => null,
        ...handlers,
      },
    },
    { host: '127.0.0.1', port: 0, tokens: [], insecure: false, maxConnections: 10, maxPayloadBytes: 100_000, ...init },
  );
  onTestFinished(() => server.close());
  const { port } = await server.start();
  return { server, port, url: `ws://127.0.0.1:${port}`, peers };
}

export function newClient(
  url: string | readonly string[],
  init: Partial<RpcClientInit> & { clock?: Clock } = {},
): RpcClient {
  const { clock = systemClock, ...rest } = init;
  const client = new RpcClient(
    { clock, logger },
    {
      urls: typeof url === 'string' ? [url] : url,
      reconnectIntervalMs: 20,
      hello: () => ({ role: 'submitter', name: 'c' }),
      ...rest,
    },
  );
  onTestFinished(() => client.close());
  return client;
}

/** Listens on a port of the system's choice. */
export async function listening(server: Server): Promise<AddressInfo> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

/** A WebSocket that says what a test wants said. */
export async function rawPeer(url: string, options: { readonly autoPong?: boolean } = {}) {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  let lastId = 0;
  return {
    socket,
    async call(
      method: string,
      params: unknown,
    ): Promise<{ result?: unknown; error?: { data: { code: string }; message: string } }> {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++lastId, method, params }));
      const [data] = await once(socket, 'message');
      return JSON.parse(String(data));
    },
  };
}

export const rawHello = { version: 1, role: 'submitter', name: 'raw' };
