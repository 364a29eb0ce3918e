import { expect, onTestFinished, test, vi } from 'vitest';
import { startHalfOpenProxy } from '../support/half-open-proxy.ts';
import { ManualClock } from './manual-clock.ts';
import { newClient, startServer } from './rpc-world.ts';

const PING_MS = 5_000;
const NEVER_MS = 3_600_000;

/** A client that reaches its master through a link that can break, and another master to turn to. */
async function world() {
  const clocks = { server: new ManualClock(), client: new ManualClock() };
  const behind = await startServer({ clock: clocks.server });
  const other = await startServer();
  const proxy = await startHalfOpenProxy(behind.port);
  onTestFinished(() => proxy.close());
  const client = newClient([proxy.address, other.url], { clock: clocks.client, reconnectIntervalMs: NEVER_MS });
  await client.start();
  const [peer] = behind.peers;
  if (peer === undefined) throw new Error('nobody said hello');
  return { clocks, other, proxy, client, peer };
}

test('a link that works is never ended, however long nobody calls', async () => {
  const { clocks, client, peer } = await world();
  for (let beat = 0; beat < 20; beat++) {
    clocks.server.advance(PING_MS);
    clocks.client.advance(PING_MS);
    // Both have had the pings of the other when this is answered: a connection keeps its order.
    await client.call('task.get', { id: 'a' });
  }
  expect(client.isConnected).toBe(true);
  expect(peer.connection).toBeDefined();
});

test.each(['both', 'up', 'down'] as const)(
  'a half-open link (%s) is noticed by the client, which goes elsewhere',
  async (way) => {
    const { clocks, proxy, other, client } = await world();
    proxy.stall(way);
    const call = client.call('task.get', { id: 'a' });
    const lost = expect(call).rejects.toMatchObject({ code: 'connection-lost' });
    clocks.client.advance(3 * PING_MS);
    await lost;
    await vi.waitUntil(() => other.peers.length === 1, { timeout: 10_000 });
    await expect(client.call('task.get', { id: 'a' })).resolves.toBeNull();
  },
);

test('a half-open link is noticed by the master, too', async () => {
  const { clocks, proxy, peer } = await world();
  proxy.stall('up');
  clocks.server.advance(3 * PING_MS - 1);
  let isClosed = false;
  void peer.connection.closed.then(() => {
    isClosed = true;
  });
  await new Promise(setImmediate);
  expect(isClosed).toBe(false);
  clocks.server.advance(1);
  await peer.connection.closed;
});

test('a link that stalls for less goes on where it was', async () => {
  const { clocks, proxy, client, peer } = await world();
  proxy.stall();
  const call = client.call('task.get', { id: 'a' });
  clocks.server.advance(3 * PING_MS - 1);
  clocks.client.advance(3 * PING_MS - 1);
  proxy.resume();
  await expect(call).resolves.toBeNull();
  expect(peer.connection).toBeDefined();
});

test('a link that is cut is noticed at once by both', async () => {
  const { proxy, other, peer } = await world();
  const elsewhere = vi.waitUntil(() => other.peers.length === 1, { timeout: 10_000 });
  proxy.cut();
  await Promise.all([peer.connection.closed, elsewhere]);
});

test('a process that stood still itself does not blame the other side', async () => {
  const { clocks, client } = await world();
  clocks.client.jump(60_000);
  clocks.client.advance(0);
  await expect(client.call('task.get', { id: 'a' })).resolves.toBeNull();
  expect(client.isConnected).toBe(true);
});
