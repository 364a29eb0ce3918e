import { hostname } from 'node:os';
import type { Clock } from '../../clock/clock.ts';
import type { ManagerConfig } from '../../config/manager-file.ts';
import { loadTokens } from '../../rpc/tokens.ts';
import { AlertBook } from '../../telemetry/alert-book.ts';
import type { AlertNotice } from '../../telemetry/alerts.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { Webhook } from '../../telemetry/webhook.ts';
import { Health } from './health.ts';
import { serveMetrics } from './metrics-server.ts';

export interface Telemetry {
  readonly metrics: Metrics;
  readonly alerts: AlertBook;
  readonly health: Health;
  close(): Promise<void>;
}

/** Metrics and alerts as [Common.Metrics] and [Common.Alerts] want them. */
export async function startTelemetry(
  components: { readonly clock: Clock; readonly logger: Logger },
  { common }: ManagerConfig,
): Promise<Telemetry> {
  const metrics = new Metrics();
  const health = new Health(components);
  const { webhook: url, repeatIntervalMs: repeatMs } = common.alerts;
  const webhook: Webhook | undefined =
    url === undefined
      ? undefined
      : new Webhook(components, { url, manager: hostname(), onTold: (notice: AlertNotice) => alerts.told(notice) });
  const alerts = new AlertBook({ ...components, metrics }, { repeatMs, tell: (notice) => webhook?.send(notice) });
  const { listen, tokenFile, insecure } = common.metrics;
  const tokens = await loadTokens({ file: tokenFile, env: {} });
  const server = listen && (await serveMetrics({ ...components, metrics, health }, { ...listen, tokens, insecure }));
  return {
    metrics,
    alerts,
    health,
    async close() {
      server?.close();
      await webhook?.close();
    },
  };
}
