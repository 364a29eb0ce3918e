import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { CodedError } from '../../src/errors/coded-error.ts';
import { EventQueue } from '../support/event-queue.ts';
import { newClient, rawPeer, startServer } from './rpc-world.ts';

/** What version 1 knew: text messages alone, and errors with nothing but a code. */
const V1_HELLO = { version: 1, role: 'slave', name: 'old', slots: 1, sectorSize: null, attempts: [] };

test('a slave of version 1 works with this master', async () => {
  const { url, peers } = await startServer({
    handlers: {
      'attempt.finish': async () => {
        throw new CodedError('database-unavailable', 'away', { host: 'h' });
      },
    },
  });
  const old = await rawPeer(url);
  expect((await old.call('hello', V1_HELLO)).result).toMatchObject({ closed: [] });
  expect((await old.call('slave.heartbeat', { attempts: [], free: 1 })).result).toEqual({ closed: [] });
  const output = { proofs: [], faults: [] };
  const { error } = await old.call('attempt.finish', { id: 'a', attempt: 1, output });
  expect(error).toMatchObject({ message: 'away', data: { code: 'database-unavailable' } });

  const task = { miner_id: 1, proof_type: 'p', replicas: [], seed: [] };
  const started = peers[0]?.connection.call('attempt.start', { id: 'a', attempt: 1, closeAt: null, task });
  const [data, isBinary] = await once(old.socket, 'message');
  expect(isBinary).toBe(false);
  const call = JSON.parse(String(data));
  expect(call).toMatchObject({ method: 'attempt.start', params: { id: 'a', attempt: 1, closeAt: null, task } });
  old.socket.send(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: { accepted: true, reason: null } }));
  await expect(started).resolves.toEqual({ accepted: true, reason: null });
});

test('a slave and a submitter of this version work with a master of version 1', async () => {
  const frames = new EventQueue<boolean>();
  const master = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const socket of master.clients) socket.terminate();
    master.close();
  });
  const answers: Record<string, object> = {
    hello: { result: { version: 1, master: 'old', heartbeatTimeoutMs: 15_000, closed: [] } },
    'task.get': { result: null },
    'task.submit': { error: { code: -32000, message: 'seed: too short', data: { code: 'bad-task' } } },
  };
  master.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => {
      frames.push(isBinary);
      const { id, method } = JSON.parse(String(data));
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...answers[method] }));
      if (method !== 'task.submit') return;
      const params = { id: 'a', attempt: 1, closeAt: null, task: { miner_id: 1 } };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'attempt.start', params }));
    }),
  );
  await once(master, 'listening');
  const starts = new EventQueue<unknown[]>();
  const client = newClient(`127.0.0.1:${(master.address() as { port: number }).port}`, {
    handlers: {
      'attempt.start': (params, attachment) => {
        starts.push([params.task, attachment]);
        return { accepted: true, reason: null };
      },
    },
  });
  await client.start();
  await expect(client.call('task.get', { id: 'a' })).resolves.toBeNull();
  const submission = { task: {} as never, closeAt: null };
  await expect(client.call('task.submit', submission)).rejects.toMatchObject({
    code: 'bad-task',
    message: 'seed: too short',
  });
  expect(await starts.next()).toEqual([{ miner_id: 1 }, undefined]);
  for (let frame = 0; frame < 4; frame++) expect(await frames.next()).toBe(false);
});
