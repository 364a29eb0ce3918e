import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Node } from '../node.ts';
import { allMethods } from './methods/all.ts';
import { answer, failed, type Methods, type RpcResponse } from './protocol.ts';
import { httpStatus, RpcCode, rpcError } from './rpc-error.ts';
import { serveWebSocket } from './websocket.ts';

export interface DevnetServer {
  readonly port: number;
  close(): Promise<void>;
}

const PATH = '/rpc/v1';
/** As nodes allow. */
const MAX_REQUEST_BYTES = 100 * 1024 * 1024;

/** Serves the node's JSON-RPC over HTTP POST and WebSocket on one port; port 0 takes a free one. */
export async function startServer(
  components: { readonly node: Node; readonly logger: Logger },
  init: { readonly host: string; readonly port: number },
): Promise<DevnetServer> {
  const { node, logger } = components;
  const methods = allMethods(node);
  const server = createServer((request, response) => {
    serveHttp(node, methods, request, response).catch((error: unknown) => {
      logger.warn({ err: error }, 'rpc: request failed');
      response.destroy();
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES });
  server.on('upgrade', (request, socket, head) => {
    const allowed = node.tokens.allowed(request.headers.authorization);
    if (request.url !== PATH || allowed === undefined) {
      socket.end(
        `HTTP/1.1 ${allowed === undefined ? '401 Unauthorized' : '404 Not Found'}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => serveWebSocket(node, methods, allowed, webSocket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(init.port, init.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serveHttp(
  node: Node,
  methods: Methods,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const allowed = node.tokens.allowed(request.headers.authorization);
  if (request.url !== PATH) return reply(response, 404, '');
  if (allowed === undefined) return reply(response, 401, '');
  // Without a token in the header a node looks for one in the form, and so uses the body up.
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const body = isForm && request.headers.authorization === undefined ? '' : await readBody(request);
  if (body.trim() === '') return replyWith(response, failed(null, rpcError(RpcCode.invalidRequest, 'Invalid request')));
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return replyWith(response, failed(null, rpcError(RpcCode.parse, 'Parse error')));
  }
  if (!Array.isArray(parsed)) return replyWith(response, await answer(methods, allowed, parsed));
  const answers = await Promise.all(parsed.map((item: unknown) => answer(methods, allowed, item)));
  reply(response, 200, JSON.stringify(answers.filter((item) => item !== undefined)));
}

function replyWith(response: ServerResponse, answered: RpcResponse | undefined): void {
  if (answered === undefined) reply(response, 200, '');
  else reply(response, answered.error === undefined ? 200 : httpStatus(answered.error.code), JSON.stringify(answered));
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > MAX_REQUEST_BYTES) throw rpcError(RpcCode.invalidRequest, 'request too large');
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString();
}
