import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../clock/clock.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { admit, turnAway, whyAlone } from './gatekeeper.ts';
import type { Scope } from './methods.ts';
import type { OpenSocket } from './open-socket.ts';
import { type MasterHandlers, openPeerSession } from './peer-session.ts';
import { isLoopback } from './socket-address.ts';
import type { ServerTls } from './tls.ts';
import type { Token } from './tokens.ts';

export interface RpcServerInit {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  /** None: who is on this machine may do everything, nobody else anything. */
  readonly tokens: readonly Token[];
  /** None: plain WebSocket. */
  readonly tls?: ServerTls | undefined;
  readonly insecure: boolean;
  readonly maxConnections: number;
  readonly maxPayloadBytes: number;
}

/** Room for connections that are still asking, or are turned away with a reason. */
const SPARE_CONNECTIONS = 64;
const HEADERS_LIMIT_MS = 10_000;
/** Of Node, which looks for connections past HEADERS_LIMIT_MS this often. */
const CHECK_MS = 2_000;
/** A thousand slaves come back in the same moment. */
const BACKLOG = 4_096;
const CLOSE_LIMIT_MS = 1_000;

/** The master's listener. */
export class RpcServer {
  readonly #components: { readonly clock: Clock; readonly logger: Logger; readonly handlers: MasterHandlers };
  readonly #init: RpcServerInit;
  readonly #http: Server;
  readonly #upgrades: WebSocketServer;
  readonly #sockets = new Set<WebSocket>();

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger; readonly handlers: MasterHandlers },
    init: RpcServerInit,
  ) {
    this.#components = components;
    this.#init = init;
    this.#upgrades = new WebSocketServer({
      noServer: true,
      maxPayload: init.maxPayloadBytes,
      perMessageDeflate: false,
    });
    this.#http = createListener(init.tls);
    this.#http.maxConnections = init.maxConnections + SPARE_CONNECTIONS;
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @throws CodedError `listen-failed` */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const alone = whyAlone(this.#init);
    if (alone !== undefined) this.#components.logger.warn(`rpc: ${alone}`);
    const { host, port, tokens, tls } = this.#init;
    if (tokens.length > 0 && tls === undefined && !isLoopback(host)) {
      const help = 'set tls_cert and tls_key, or use a tunnel, unless the network is trusted';
      this.#components.logger.warn({ host }, `rpc: tokens and tasks travel unencrypted: ${help}`);
    }
    try {
      this.#http.listen({ port, host, backlog: BACKLOG });
      await once(this.#http, 'listening');
    } catch (error) {
      const why = errorCode(error) === 'EADDRINUSE' ? 'another program listens there' : errorText(error);
      throw new CodedError('listen-failed', `cannot listen on ${host}:${port}: ${why}`, { cause: error });
    }
    return { host, port: (this.#http.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    const ended = once(this.#http, 'close');
    this.#http.close();
    for (const socket of this.#sockets) socket.close(1001, 'the master is stopping');
    const callOff = this.#components.clock.after(CLOSE_LIMIT_MS, () => {
      for (const socket of this.#sockets) socket.terminate();
      this.#http.closeAllConnections();
    });
    await ended;
    callOff();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const remote = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    const admission = admit(request, this.#init);
    if ('status' in admission) {
      this.#components.logger.warn({ remote, reason: admission.message }, 'rpc: turned away');
      turnAway(socket, admission.status, admission.message);
    } else if (this.#sockets.size >= this.#init.maxConnections) {
      this.#components.logger.warn({ remote }, 'rpc: turned away, max_connections is reached');
      turnAway(socket, '503 Service Unavailable', `all ${this.#init.maxConnections} connections are taken`);
    } else {
      this.#upgrades.handleUpgrade(request, socket, head, (ws) =>
        this.#open({ socket: ws, stream: socket }, remote, admission.scopes),
      );
    }
  }

  #open(opened: OpenSocket, remote: string, scopes: ReadonlySet<Scope>): void {
    const { socket } = opened;
    this.#sockets.add(socket);
    const connection = openPeerSession({ ...this.#components, ...opened }, { remote, scopes });
    void connection.closed.then(() => this.#sockets.delete(socket));
  }
}

function createListener(tls: ServerTls | undefined): Server {
  const options = { headersTimeout: HEADERS_LIMIT_MS, connectionsCheckingInterval: CHECK_MS };
  const answer: RequestListener = (_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('this port speaks JSON-RPC over WebSocket only\n');
  };
  if (tls === undefined) return createHttpServer(options, answer);
  const { cert, key, clientCa: ca } = tls;
  // Who comes without a good certificate hears so in words, or has a token.
  const asking = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: false };
  return createHttpsServer({ ...options, ...asking, cert, key, handshakeTimeout: HEADERS_LIMIT_MS }, answer);
}
