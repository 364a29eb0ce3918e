import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { serveVenusRpc } from '../../../src/programs/sector-manager/venus-rpc/serve-venus-rpc.ts';
import { venusMethods } from '../../../src/programs/sector-manager/venus-rpc/venus-methods.ts';
import type { Copy } from '../../../src/stores/index/sector-index.ts';
import type { WantedSector } from '../../../src/stores/sector-check.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { silentLogger } from '../../support/silent-logger.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const BOTH = { hasSealed: true, hasCache: true };
/** Miner 1000: 1 is in one store, 2 in two, 3 was upgraded, 4 has lost its sealed file. */
const HELD: Readonly<Record<string, readonly Copy[]>> = {
  '1 false': [{ store: 'a', ...BOTH }],
  '2 false': [
    { store: 'b', hasSealed: false, hasCache: true },
    { store: 'a', hasSealed: true, hasCache: false },
  ],
  '3 true': [{ store: 'c', ...BOTH }],
  '4 false': [{ store: 'a', hasSealed: false, hasCache: true }],
};
const index = {
  async locate(minerId: number, wanted: readonly WantedSector[]) {
    const known = wanted.filter(({ number, upgraded }) => minerId === 1000 && `${number} ${upgraded}` in HELD);
    return new Map(known.map(({ number, upgraded }) => [number, HELD[`${number} ${upgraded}`] ?? []]));
  },
};
const health = {
  report: async () => ({ status: 'ok', troubles: [], leads: true, height: 1, headAgeSeconds: 1 }) as const,
};

async function serve(): Promise<string> {
  const components = { logger: silentLogger, metrics: new Metrics(), index, health };
  const server = await serveVenusRpc(components, { host: '127.0.0.1', port: 0, tokens: [] });
  closers.push(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

async function post(url: string, method: string, params: unknown): Promise<object> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
  const response = await fetch(`${url}/rpc/v0`, { method: 'POST', body });
  expect(response.status).toBe(200);
  return (await response.json()) as object;
}

const find = (kind: string, number: number) => [kind, { Miner: 1000, Number: number }];

test.each([
  [find('normal', 1), { Found: true, Instance: { SealedFile: 'a', CacheDir: 'a' } }],
  [find('normal', 2), { Found: true, Instance: { SealedFile: 'a', CacheDir: 'b' } }],
  [find('upgrade', 3), { Found: true, Instance: { SealedFile: 'c', CacheDir: 'c' } }],
  [find('normal', 3), { Found: false, Instance: { SealedFile: '', CacheDir: '' } }],
  [find('normal', 4), { Found: false, Instance: { SealedFile: '', CacheDir: '' } }],
])('SectorIndexerFind %j', async (params, result) => {
  expect(await post(await serve(), 'Venus.SectorIndexerFind', params)).toEqual({ jsonrpc: '2.0', id: 7, result });
});

test('finds of one moment are told apart by kind and miner', async () => {
  const methods = venusMethods(index);
  const ask = async (id: number, kind: string, Miner: number) => {
    const params = [kind, { Miner, Number: 3 }];
    const answer = await methods.receive(
      { jsonrpc: '2.0', id, method: 'Venus.SectorIndexerFind', params },
      { mayRead: true },
    );
    return answer?.result.Found;
  };
  const asked = [ask(1, 'normal', 1000), ask(2, 'upgrade', 1000), ask(3, 'upgrade', 1001)];
  expect(await Promise.all(asked)).toEqual([false, true, false]);
});

test('the same over a WebSocket, as workers connect', async () => {
  const socket = new WebSocket(`${(await serve()).replace('http', 'ws')}/rpc/v0`);
  closers.push(() => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'Venus.SectorIndexerFind', params: find('normal', 1) }));
  const [data] = await once(socket, 'message');
  expect(JSON.parse(String(data)).result.Found).toBe(true);
});

test('what sealing workers call is refused by name, and an unknown method is unknown', async () => {
  const url = await serve();
  for (const method of ['Venus.AllocateSector', 'Venus.WorkerPing', 'Venus.WdPoStAllocateJobs']) {
    expect(await post(url, method, [{}])).toMatchObject({
      error: { code: 1, message: expect.stringMatching(`^sealing-not-served: ${method}: `) },
    });
  }
  expect(await post(url, 'Venus.Nonsense', [])).toMatchObject({ error: { code: -32601 } });
  expect(await post(url, 'Venus.SectorIndexerFind', ['newest', 5])).toMatchObject({ error: { code: -32602 } });
});

test('who may not read hears refusals, and of the index only that a token is needed', async () => {
  const methods = venusMethods(index);
  const ask = (method: string, mayRead: boolean) =>
    methods.receive({ jsonrpc: '2.0', id: 1, method, params: find('normal', 1) }, { mayRead });
  expect(await ask('Venus.SectorIndexerFind', false)).toMatchObject({
    error: { message: expect.stringMatching(/^token-needed: /) },
  });
  expect(await ask('Venus.SectorIndexerFind', true)).toMatchObject({ result: { Found: true } });
  expect(await ask('Venus.WorkerPing', false)).toMatchObject({ error: { message: expect.stringMatching(/^sealing/) } });
});

test('what a proxy of this machine passes on is a stranger to the index', async () => {
  const url = await serve();
  const headers = { 'x-forwarded-for': '192.0.2.7' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'Venus.SectorIndexerFind', params: find('normal', 1) });
  const response = await fetch(`${url}/rpc/v0`, { method: 'POST', headers, body });
  expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(/^token-needed: /) } });
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(401);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/rpc/v0`, { headers });
  closers.push(() => socket.terminate());
  await once(socket, 'open');
  socket.send(body);
  const [data] = await once(socket, 'message');
  expect(JSON.parse(String(data)).error.message).toMatch(/^token-needed: /);
});

test('metrics and health are there too; web pages and long bodies are turned away', async () => {
  const url = await serve();
  expect((await fetch(`${url}/healthcheck`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('wdpost_leads');
  expect((await fetch(`${url}/rpc/v0`)).status).toBe(405);
  expect((await fetch(`${url}/rpc/v0`, { method: 'POST', headers: { origin: 'https://evil.example' } })).status).toBe(
    403,
  );
  const long = await fetch(`${url}/rpc/v0`, { method: 'POST', body: Buffer.alloc(5 << 20) }).catch(() => undefined);
  expect(long?.status ?? 413).toBe(413);
});
