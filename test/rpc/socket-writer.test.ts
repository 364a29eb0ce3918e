import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { SocketWriter } from '../../src/rpc/socket-writer.ts';
import { silentLogger as logger } from '../support/silent-logger.ts';
import { ManualClock } from './manual-clock.ts';
import { rawHello, rawPeer, startServer } from './rpc-world.ts';

function writerOn(readyState: number = WebSocket.OPEN) {
  const clock = new ManualClock();
  const unwritten: (() => void)[] = [];
  const socket = Object.assign(new EventEmitter(), {
    readyState,
    bufferedAmount: 0,
    send: (_message: unknown, done: () => void) => void unwritten.push(done),
    terminate: vi.fn(),
  });
  const writer = new SocketWriter({ clock, logger, socket: socket as unknown as WebSocket, stream: new PassThrough() });
  return { clock, socket, writer, unwritten };
}

test('a side that reads slower than it is sent to, but reads, is kept', () => {
  const { clock, socket, writer, unwritten } = writerOn();
  for (let turn = 0; turn < 100; turn++) {
    void writer.write('a');
    void writer.write('b');
    if (turn >= 4) unwritten.shift()?.();
    if (turn >= 4) unwritten.shift()?.();
    clock.advance(5_000);
  }
  expect(socket.terminate).not.toHaveBeenCalled();
});

test('a message that is not out after half a minute ends the connection', () => {
  const { clock, socket, writer, unwritten } = writerOn();
  void writer.write('a');
  clock.advance(5_000);
  unwritten.shift()?.();
  void writer.write('b');
  clock.advance(30_000);
  expect(socket.terminate).not.toHaveBeenCalled();
  clock.advance(5_000);
  expect(socket.terminate).toHaveBeenCalledOnce();
});

test('nothing is written to a closed one, and nothing is left behind', async () => {
  const { writer } = writerOn(WebSocket.CLOSED);
  await expect(writer.write('a')).rejects.toThrow('connection lost');
  const { clock, socket, writer: other } = writerOn();
  void other.write('a');
  socket.emit('close');
  clock.advance(100_000);
  expect(socket.terminate).not.toHaveBeenCalled();
});

test('a peer that reads nothing costs a bounded amount of memory, then its connection', async () => {
  const { url, peers } = await startServer();
  const peer = await rawPeer(url);
  await peer.call('hello', rawHello);
  peer.socket.pause();
  const connection = peers[0]?.connection;
  let megabytes = 0;
  let isOpen = true;
  void connection?.closed.then(() => {
    isOpen = false;
  });
  for (; isOpen && megabytes < 200; megabytes++) {
    connection?.notify('task.changed', { id: 'a', state: 'x'.repeat(1_000_000) });
    await new Promise(setImmediate);
  }
  await connection?.closed;
  expect(megabytes).toBeGreaterThan(60);
  expect(megabytes).toBeLessThan(120);
});

test('calls wait for room where answers would end the connection', async () => {
  const { socket, writer, unwritten } = writerOn();
  socket.bufferedAmount = 17 * 2 ** 20;
  let hasRoom = false;
  const room = writer.room().then(() => {
    hasRoom = true;
  });
  void writer.write('a');
  unwritten.shift()?.();
  await Promise.resolve();
  expect(hasRoom).toBe(false);
  socket.bufferedAmount = 0;
  void writer.write('b');
  unwritten.shift()?.();
  await room;
  expect(socket.terminate).not.toHaveBeenCalled();
});

test('a socket that closes keeps nobody waiting for room', async () => {
  const { socket, writer } = writerOn();
  socket.bufferedAmount = 17 * 2 ** 20;
  const room = writer.room();
  Object.assign(socket, { readyState: WebSocket.CLOSED });
  socket.emit('close');
  await room;
});
