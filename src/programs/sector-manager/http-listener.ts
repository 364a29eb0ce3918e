import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';

const REQUEST_LIMIT_MS = 5_000;

interface HttpListenerInit {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  readonly maxConnections: number;
  /** The flag or key that named the address. */
  readonly named: string;
}

export interface HttpListener {
  readonly server: Server;
  readonly port: number;
  close(): void;
}

/** @throws CodedError `listen-failed` */
export async function listenHttp(init: HttpListenerInit, answer: RequestListener): Promise<HttpListener> {
  const { host, port, maxConnections, named } = init;
  const server = createServer(answer);
  server.maxConnections = maxConnections;
  server.requestTimeout = REQUEST_LIMIT_MS;
  server.headersTimeout = REQUEST_LIMIT_MS;
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    const why = errorCode(error) === 'EADDRINUSE' ? 'another program listens there' : errorText(error);
    throw new CodedError('listen-failed', `${named}: cannot listen on ${host}:${port}: ${why}`);
  }
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
