import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { newClient, rawHello, rawPeer, startServer, view } from './rpc-world.ts';

const start = { id: 'a', attempt: 1, closeAt: null };
const accepted = { accepted: true, reason: null };

test.each([0, 1, 4_096, 2_000_000])('%i bytes go with a call to a client, and are the same there', async (size) => {
  const { url, peers } = await startServer();
  const came: (Uint8Array | undefined)[] = [];
  const client = newClient(url, {
    hello: () => ({ role: 'slave', name: 's' }),
    handlers: {
      'attempt.start'(_params, attachment) {
        came.push(attachment);
        return accepted;
      },
    },
  });
  await client.start();
  const attachment = randomBytes(size);
  await expect(peers[0]?.connection.call('attempt.start', start, { attachment })).resolves.toEqual(accepted);
  await peers[0]?.connection.call('attempt.start', start);
  expect(came.map((bytes) => bytes && Buffer.compare(bytes, attachment))).toEqual([0, undefined]);
});

test('a call to a server carries one too', async () => {
  const attachment = randomBytes(1_000);
  const { url } = await startServer({
    handlers: {
      'task.submit': async (_params, _peer, bytes) => ({ ...view, done: bytes?.length ?? -1 }),
    },
  });
  const client = newClient(url);
  await client.start();
  const submission = { task: {} as never, closeAt: null };
  await expect(client.call('task.submit', submission, { attachment })).resolves.toMatchObject({ done: 1_000 });
  await expect(client.call('task.submit', submission)).resolves.toMatchObject({ done: -1 });
});

test('one past the payload limit is a lost connection', async () => {
  const { url } = await startServer({ maxPayloadBytes: 1_000 });
  const client = newClient(url);
  await client.start();
  const call = client.call('task.get', { id: 'a' }, { attachment: randomBytes(2_000) });
  await expect(call).rejects.toMatchObject({ code: 'connection-lost' });
});

test.each(['', '00', '0000ffff7b7d', '000000027b7d', 'ffffffff'])('binary junk %j does no harm', async (hex) => {
  const { url } = await startServer();
  const peer = await rawPeer(url);
  peer.socket.send(Buffer.from(hex, 'hex'));
  expect((await peer.call('hello', rawHello)).result).toBeDefined();
});
