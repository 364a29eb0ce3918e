import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { watchLiveness } from '../../src/rpc/liveness.ts';
import { ManualClock } from './manual-clock.ts';

function watched() {
  const clock = new ManualClock();
  const socket = Object.assign(new EventEmitter(), { ping: vi.fn(), terminate: vi.fn() });
  watchLiveness({ clock, socket: socket as unknown as WebSocket });
  return { clock, socket };
}

test.each(['pong', 'ping', 'message'])('a socket that gives a %s now and then lives', (event) => {
  const { clock, socket } = watched();
  for (let turn = 0; turn < 20; turn++) {
    clock.advance(14_000);
    socket.emit(event);
  }
  expect(socket.terminate).not.toHaveBeenCalled();
  expect(socket.ping.mock.calls.length).toBeGreaterThan(50);
});

test('a silent one ends after 15 seconds', () => {
  const { clock, socket } = watched();
  clock.advance(14_999);
  expect(socket.terminate).not.toHaveBeenCalled();
  clock.advance(1);
  expect(socket.terminate).toHaveBeenCalledOnce();
});

test('nothing is left behind by a closed one', () => {
  const { clock, socket } = watched();
  socket.emit('close');
  clock.advance(60_000);
  expect(socket.ping).not.toHaveBeenCalled();
});
