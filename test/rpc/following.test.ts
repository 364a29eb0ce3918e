import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CodedError } from '../../src/errors/coded-error.ts';
import type { Scope } from '../../src/rpc/methods.ts';
import { listening, newClient, startServer } from './rpc-world.ts';

/** A pause that no test lives to see the end of: whoever connects did not wait. */
const NEVER_MS = 3_600_000;

/** A master that stands by until `leads`, and names a leader. */
async function startStandby(leader: () => string | undefined, init: Parameters<typeof startServer>[0] = {}) {
  const hellos = vi.fn();
  const world = await startServer({
    ...init,
    handlers: {
      hello: async () => {
        hellos();
        throw new CodedError('not-leading', 'this master stands by', { leader: leader() });
      },
    },
  });
  return { ...world, hellos };
}

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  const { port } = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('goes on at once to the leader that a standby names, token and all', async () => {
  const tokens = [{ secret: 's', scopes: new Set<Scope>(['submit']) }];
  const leader = await startServer({ tokens });
  const standby = await startStandby(() => `127.0.0.1:${leader.port}`, { tokens });
  const client = newClient(standby.url, { reconnectIntervalMs: NEVER_MS, token: 's' });
  await client.start();
  expect(leader.peers).toHaveLength(1);
});

test('tries every address before it pauses', async () => {
  const standby = await startStandby(() => undefined);
  const leader = await startServer();
  const urls = [`127.0.0.1:${await deadPort()}`, standby.url, leader.url];
  const client = newClient(urls, { reconnectIntervalMs: NEVER_MS });
  await client.start();
  expect(leader.peers).toHaveLength(1);
});

test('standbys that name each other, or someone dead, lead nobody round in circles', async () => {
  const dead = await deadPort();
  const names: (string | undefined)[] = [];
  const a = await startStandby(() => names.shift() ?? `127.0.0.1:${b.port}`);
  const b: Awaited<ReturnType<typeof startStandby>> = await startStandby(() => names.shift() ?? `127.0.0.1:${a.port}`);
  names.push(`127.0.0.1:${dead}`);
  const client = newClient([a.url, b.url], { reconnectIntervalMs: NEVER_MS });
  void client.start().catch(() => {});
  await vi.waitUntil(() => b.hellos.mock.calls.length === 1, { timeout: 10_000 });
  const call = client.call('task.get', { id: 'a' }, { timeoutMs: 100 });
  await expect(call).rejects.toMatchObject({ code: 'not-connected', message: expect.stringMatching(/stands by$/) });
  expect([a.hellos, b.hellos].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
});

test('a leader that steps down is left for the other at once', async () => {
  const [first, second] = [await startServer(), await startServer()];
  const client = newClient([first.url, second.url], { reconnectIntervalMs: NEVER_MS });
  await client.start();
  first.peers[0]?.connection.close('this master does not lead any more');
  await vi.waitUntil(() => second.peers.length === 1, { timeout: 10_000 });
  await expect(client.call('task.get', { id: 'a' })).resolves.toBeNull();
});

test('while masters choose a leader, the pause is short, and calls wait', async () => {
  let leads = false;
  let refused = () => {};
  const asked = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const { url } = await startServer({
    handlers: {
      hello: async () => {
        if (!leads) {
          refused();
          throw new CodedError('not-leading', 'this master stands by');
        }
        return { version: 2, master: 'm', heartbeatTimeoutMs: 15_000, closed: [] };
      },
    },
  });
  const client = newClient(url, { reconnectIntervalMs: NEVER_MS });
  const started = client.start();
  const call = client.call('task.get', { id: 'a' });
  await asked;
  leads = true;
  await started;
  await expect(call).resolves.toBeNull();
});

test('a master that takes everybody and drops them is not asked on and on', async () => {
  const { server, url, peers } = await startServer();
  const client = newClient(url, { reconnectIntervalMs: NEVER_MS });
  await client.start();
  onTestFinished(() => server.close());
  peers[0]?.connection.close('dropped');
  await vi.waitUntil(() => !client.isConnected, { timeout: 10_000 });
  const call = client.call('task.get', { id: 'a' }, { timeoutMs: 100 });
  await expect(call).rejects.toMatchObject({ code: 'not-connected', message: expect.stringMatching(/\(dropped\)$/) });
  expect(peers).toHaveLength(1);
});
