import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import { admit } from '../../rpc/gatekeeper.ts';
import { isLoopback } from '../../rpc/socket-address.ts';
import type { Token } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

interface MetricsServerInit {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  /** One with scope `read` is asked for; none: everybody who reaches the listener may read. */
  readonly tokens: readonly Token[];
  readonly insecure: boolean;
}

const MAX_CONNECTIONS = 32;
const REQUEST_LIMIT_MS = 5_000;

/**
 * Serves GET /metrics.
 * @throws CodedError `open-listener` (no token on an outside address), `listen-failed`
 */
export async function serveMetrics(
  components: { readonly logger: Logger; readonly metrics: Metrics },
  init: MetricsServerInit,
): Promise<{ readonly port: number; close(): void }> {
  const { host, port, tokens, insecure } = init;
  if (!isLoopback(host) && tokens.length === 0 && !insecure) {
    throw new CodedError(
      'open-listener',
      `[Common.Metrics] Listen on ${host} lets any machine read, and no token is set: ` +
        'name a file with a line "read <token>" in TokenFile, or say Insecure = true',
    );
  }
  const server = createServer((request, response) => {
    void answer(components.metrics, tokens, request, response).catch((err: unknown) => {
      components.logger.warn({ err }, 'metrics could not be read');
      response.writeHead(500).end();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_LIMIT_MS;
  server.headersTimeout = REQUEST_LIMIT_MS;
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    const why = errorCode(error) === 'EADDRINUSE' ? 'another program listens there' : errorText(error);
    throw new CodedError('listen-failed', `[Common.Metrics] Listen: cannot listen on ${host}:${port}: ${why}`);
  }
  const address = { host, port: (server.address() as AddressInfo).port };
  components.logger.info(address, 'metrics are served');
  return {
    port: address.port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  metrics: Metrics,
  tokens: readonly Token[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const admission = admit(request, { tokens });
  if ('status' in admission || !admission.scopes.has('read')) {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('show a token with scope read\n');
  } else if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
    response.writeHead(404).end('only GET /metrics is served\n');
  } else {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
  }
}
