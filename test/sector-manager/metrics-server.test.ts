import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HealthReport } from '../../src/programs/sector-manager/health.ts';
import { serveMetrics } from '../../src/programs/sector-manager/metrics-server.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { silentLogger } from '../support/silent-logger.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const TOKENS = [
  { secret: 'reader', scopes: new Set(['read'] as const) },
  { secret: 'slave', scopes: new Set(['slave'] as const) },
];

let report: HealthReport;
beforeEach(() => {
  report = { status: 'ok', troubles: [], leads: true, height: 5, headAgeSeconds: 3 };
});
const health = { report: async () => report };

async function serve(init: Partial<Parameters<typeof serveMetrics>[1]> = {}): Promise<string> {
  const server = await serveMetrics(
    { logger: silentLogger, metrics: new Metrics(), health },
    { host: '127.0.0.1', port: 0, tokens: [], insecure: false, ...init },
  );
  closers.push(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test('GET /metrics gives the text form, everything else is not there', async () => {
  const url = await serve();
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(await response.text()).toContain('# TYPE wdpost_epochs_left histogram');
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
});

test('GET /healthcheck says what fails, and 503 then', async () => {
  const url = await serve({ tokens: TOKENS });
  expect((await fetch(`${url}/healthcheck`)).status).toBe(401);
  const fine = await fetch(`${url}/healthcheck`, bearer('reader'));
  expect([fine.status, await fine.json()]).toEqual([200, report]);
  report = { ...report, status: 'failing', troubles: ['database: it is gone'] };
  const failing = await fetch(`${url}/healthcheck`, bearer('reader'));
  expect([failing.status, await failing.json()]).toEqual([503, report]);
});

test('a token with scope read is asked for where tokens are set', async () => {
  const url = await serve({ tokens: TOKENS });
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect((await fetch(`${url}/metrics`, bearer('wrong'))).status).toBe(401);
  expect((await fetch(`${url}/metrics`, bearer('slave'))).status).toBe(401);
  expect((await fetch(`${url}/metrics`, bearer('reader'))).status).toBe(200);
});

test('a page in a browser reads nothing', async () => {
  const url = await serve();
  expect((await fetch(`${url}/metrics`, { headers: { origin: 'https://evil.example' } })).status).toBe(401);
});

test('outside loopback it wants a token, or the word insecure', async () => {
  await expect(serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'open-listener' });
  expect(await serve({ host: '0.0.0.0', tokens: TOKENS })).toBeDefined();
  expect(await serve({ host: '0.0.0.0', insecure: true })).toBeDefined();
});

test('a port that is taken is one clear error', async () => {
  const port = Number(new URL(await serve()).port);
  await expect(serve({ port })).rejects.toMatchObject({ code: 'listen-failed' });
});
