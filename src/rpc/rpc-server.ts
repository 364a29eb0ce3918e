import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../clock/clock.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { admit, assertClosed, turnAway } from './gatekeeper.ts';
import type { Scope } from './methods.ts';
import { type MasterHandlers, openPeerSession } from './peer-session.ts';
import type { Token } from './tokens.ts';

export interface RpcServerInit {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  /** None: everybody who reaches the listener may do everything. */
  readonly tokens: readonly Token[];
  readonly insecure: boolean;
  readonly maxConnections: number;
  readonly maxPayloadBytes: number;
}

/** Room for connections that are still asking, or are turned away with a reason. */
const SPARE_CONNECTIONS = 64;
const HEADERS_LIMIT_MS = 10_000;
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
    this.#http = createServer({ headersTimeout: HEADERS_LIMIT_MS }, (_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain' }).end('this port speaks JSON-RPC over WebSocket only\n');
    });
    this.#http.maxConnections = init.maxConnections + SPARE_CONNECTIONS;
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @throws CodedError `open-listener` (no token on an outside address), `listen-failed` */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    assertClosed(this.#init);
    const { host, port } = this.#init;
    try {
      this.#http.listen(port, host);
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
    const admission = admit(request, this.#init.tokens);
    if ('status' in admission) {
      this.#components.logger.warn({ remote, reason: admission.message }, 'rpc: turned away');
      turnAway(socket, admission.status, admission.message);
    } else if (this.#sockets.size >= this.#init.maxConnections) {
      this.#components.logger.warn({ remote }, 'rpc: turned away, max_connections is reached');
      turnAway(socket, '503 Service Unavailable', `all ${this.#init.maxConnections} connections are taken`);
    } else {
      this.#upgrades.handleUpgrade(request, socket, head, (ws) => this.#open(ws, remote, admission.scopes));
    }
  }

  #open(socket: WebSocket, remote: string, scopes: ReadonlySet<Scope>): void {
    this.#sockets.add(socket);
    const connection = openPeerSession({ ...this.#components, socket }, { remote, scopes });
    void connection.closed.then(() => this.#sockets.delete(socket));
  }
}
