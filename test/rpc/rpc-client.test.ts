import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { RPC_VERSION } from '../../src/rpc/methods.ts';
import { ManualClock } from './manual-clock.ts';
import { greeting, newClient, rawHello, rawPeer, startServer } from './rpc-world.ts';

/** A master that answers hello and nothing more. */
async function startMute(version = 1) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { id, method } = JSON.parse(String(data));
      if (method === 'hello') socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: { ...greeting, version } }));
    }),
  );
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${(server.address() as { port: number }).port}` };
}

test('connects again after its master, and says hello again; calls wait meanwhile', async () => {
  const first = await startServer();
  const onHello = vi.fn();
  const client = newClient(`127.0.0.1:${first.port}`, { onHello });
  await client.start();
  await first.server.close();
  await vi.waitUntil(() => !client.isConnected, { timeout: 10_000 });
  const waiting = client.call('task.get', { id: 'a' });
  await startServer({ port: first.port });
  await expect(waiting).resolves.toBeNull();
  expect(onHello).toHaveBeenCalledTimes(2);
});

test('a call in flight rejects when the connection is lost', async () => {
  const { server, url } = await startServer({ handlers: { 'task.get': () => new Promise(() => {}) } });
  const client = newClient(url);
  await client.start();
  const call = expect(client.call('task.get', { id: 'a' })).rejects.toMatchObject({ code: 'connection-lost' });
  await server.close();
  await call;
});

test('a call has a time limit, with and without a connection', async () => {
  const mute = await startMute();
  const client = newClient(mute.url);
  await client.start();
  const limit = { timeoutMs: 30 };
  await expect(client.call('task.get', { id: 'a' }, limit)).rejects.toMatchObject({ code: 'time-limit' });
  mute.server.close();
  for (const socket of mute.server.clients) socket.terminate();
  await vi.waitUntil(() => !client.isConnected, { timeout: 10_000 });
  await expect(client.call('task.get', { id: 'a' }, limit)).rejects.toMatchObject({ code: 'not-connected' });
});

test('turns to the next address', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as { port: number };
  gone.close();
  const { url } = await startServer();
  const client = newClient([`127.0.0.1:${port}`, url]);
  await client.start();
  expect(client.isConnected).toBe(true);
});

test('start waits for a master that is not there yet', async () => {
  const { server, port } = await startServer();
  await server.close();
  const client = newClient(`127.0.0.1:${port}`);
  const starting = client.start();
  await startServer({ port });
  await starting;
});

test('start fails on a wrong token, with what the master says', async () => {
  const { url } = await startServer({ tokens: [{ secret: 'x', scopes: new Set(['submit'] as const) }] });
  await expect(newClient(url, { token: 'y' }).start()).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringMatching(/refused the connection \(401\): the token is not known here/),
  });
});

test('start fails on a master of a version too far away', async () => {
  const { url } = await startMute(RPC_VERSION + 2);
  await expect(newClient(url).start()).rejects.toMatchObject({ code: 'version-mismatch' });
});

test('close ends a client that is still trying, at once', async () => {
  // Takes the connection and says nothing.
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const client = newClient(`127.0.0.1:${(silent.address() as { port: number }).port}`);
  const starting = expect(client.start()).rejects.toMatchObject({ code: 'not-connected' });
  const [socket] = await once(silent, 'connection');
  await client.close();
  await starting;
  socket.destroy();
});

test('a client notices a master that is silent, and connects again', async () => {
  const mute = await startMute();
  const clock = new ManualClock();
  const client = newClient(mute.url, { clock });
  await client.start();
  const again = once(mute.server, 'connection');
  clock.advance(15_000);
  await again;
});

test('a master notices a client that is silent', async () => {
  const clock = new ManualClock();
  const { url, peers } = await startServer({ clock });
  const peer = await rawPeer(url, { autoPong: false });
  await peer.call('hello', rawHello);
  const closed = once(peer.socket, 'close');
  clock.advance(14_999);
  expect(peers).toHaveLength(1);
  clock.advance(1);
  await Promise.all([closed, peers[0]?.connection.closed]);
});
