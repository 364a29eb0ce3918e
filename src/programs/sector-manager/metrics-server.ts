import type { IncomingMessage, ServerResponse } from 'node:http';
import { CodedError } from '../../errors/coded-error.ts';
import { admit } from '../../rpc/gatekeeper.ts';
import { isLoopback } from '../../rpc/socket-address.ts';
import type { Token } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Health } from './health.ts';
import { listenHttp } from './http-listener.ts';

interface MetricsServerInit {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  /** One with scope `read` is asked for; none: everybody who reaches the listener may read. */
  readonly tokens: readonly Token[];
  readonly insecure: boolean;
}

interface Components {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Pick<Health, 'report'>;
}

const MAX_CONNECTIONS = 32;

/**
 * Serves GET /metrics and /healthcheck.
 * @throws CodedError `open-listener` (no token on an outside address), `listen-failed`
 */
export async function serveMetrics(
  components: Components,
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
  const named = '[Common.Metrics] Listen';
  const listener = await listenHttp({ host, port, maxConnections: MAX_CONNECTIONS, named }, (request, response) => {
    const admission = admit(request, { tokens, insecure });
    if ('status' in admission || !admission.scopes.has('read')) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('show a token with scope read\n');
      return;
    }
    void answerReading(components, request, response);
  });
  components.logger.info({ host, port: listener.port }, 'metrics are served');
  return listener;
}

/** GET /metrics and /healthcheck of somebody who may read. */
export async function answerReading(
  { logger, metrics, health }: Components,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?')[0];
  try {
    if (request.method !== 'GET' || (path !== '/metrics' && path !== '/healthcheck')) {
      response.writeHead(404).end('only GET /metrics and GET /healthcheck are served\n');
    } else if (path === '/metrics') {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
    } else {
      const report = await health.report();
      const code = report.status === 'ok' ? 200 : 503;
      response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(report)}\n`);
    }
  } catch (err) {
    logger.warn({ err, path }, 'a question could not be answered');
    response.writeHead(500).end();
  }
}
