import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RawData, WebSocketServer } from 'ws';
import { admit, turnAway } from '../../../rpc/gatekeeper.ts';
import { isSameMachine } from '../../../rpc/same-machine.ts';
import type { Token } from '../../../rpc/tokens.ts';
import type { SectorIndex } from '../../../stores/index/sector-index.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import type { Health } from '../health.ts';
import { listenHttp } from '../http-listener.ts';
import { answerReading } from '../metrics-server.ts';
import { type Caller, venusMethods } from './venus-methods.ts';

interface VenusRpcInit {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  /** Who comes from another machine reads with one of scope `read` only. */
  readonly tokens: readonly Token[];
}

const PATH = '/rpc/v0';
/** Workers keep a connection each. */
const MAX_CONNECTIONS = 1_024;
/** Calls that end in a refusal may carry whole proofs. */
const MAX_BODY_BYTES = 4 * 2 ** 20;
const NOBODY: Caller = { mayRead: false };

/**
 * Serves `/rpc/v0` over HTTP and WebSocket, as the `--listen` address of the system this one replaces does, and beside it /metrics and
 * /healthcheck. Refusals are said to everybody; reading takes a token, or being on this machine.
 * @throws CodedError `listen-failed`
 */
export async function serveVenusRpc(
  components: {
    readonly logger: Logger;
    readonly index: Pick<SectorIndex, 'locate'>;
    readonly metrics: Metrics;
    readonly health: Pick<Health, 'report'>;
  },
  init: VenusRpcInit,
): Promise<{ readonly port: number; close(): void }> {
  const { logger } = components;
  const methods = venusMethods(components.index);
  const callerOf = (request: IncomingMessage): Caller | undefined => {
    if (request.headers.origin !== undefined) return undefined;
    if (isSameMachine(request)) return { mayRead: true };
    const admission = admit(request, { tokens: init.tokens, insecure: false });
    return 'scopes' in admission ? { mayRead: admission.scopes.has('read') } : NOBODY;
  };
  const listener = await listenHttp(
    { ...init, maxConnections: MAX_CONNECTIONS, named: '--listen' },
    (request, response) => {
      const caller = callerOf(request);
      if (caller === undefined) {
        response.writeHead(403).end('requests of web pages are not answered\n');
      } else if (request.url?.split('?')[0] === PATH) {
        void answerCall(request, response, async (body) => JSON.stringify(await methods.receiveJSON(body, caller)));
      } else if (caller.mayRead) {
        void answerReading(components, request, response);
      } else {
        response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('show a token with scope read\n');
      }
    },
  );
  const upgrades = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES, perMessageDeflate: false });
  listener.server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const caller = callerOf(request);
    if (caller === undefined || request.url?.split('?')[0] !== PATH) {
      turnAway(socket, '404 Not Found', `connect to ${PATH}`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate());
      ws.on('message', async (data: RawData) => {
        const answer = await methods.receiveJSON(String(data), caller);
        if (answer !== null) ws.send(JSON.stringify(answer), () => {});
      });
    });
  });
  logger.info({ host: init.host, port: listener.port }, 'the sector index is served');
  return {
    port: listener.port,
    close() {
      for (const ws of upgrades.clients) ws.terminate();
      listener.close();
    },
  };
}

async function answerCall(
  request: IncomingMessage,
  response: ServerResponse,
  call: (body: string) => Promise<string>,
): Promise<void> {
  if (request.method !== 'POST') {
    response.writeHead(405, { allow: 'POST' }).end(`${PATH} takes JSON-RPC by POST or over a WebSocket\n`);
    return;
  }
  try {
    const body = await bodyOf(request);
    if (body === undefined) {
      response.writeHead(413, { connection: 'close' }).end('too long\n');
      return;
    }
    const answer = await call(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  } catch {
    response.destroy();
  }
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
