import { expect, it } from 'vitest';
import { socketUrl } from '../../src/chain/socket-url.ts';

it.each([
  ['ws://node:1234/rpc/v1', 'ws://node:1234/rpc/v1'],
  ['http://127.0.0.1:1234', 'ws://127.0.0.1:1234/rpc/v1'],
  ['https://node.example/some/path/?key=1', 'wss://node.example/some/path?key=1'],
  ['wss://node.example', 'wss://node.example/rpc/v1'],
  ['ws://[::1]:1234', 'ws://[::1]:1234/rpc/v1'],
])('of %s', (text, url) => {
  expect(socketUrl(text)).toBe(url);
});
