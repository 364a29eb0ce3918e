import { expect, test } from 'vitest';
import { isInTheClear, socketUrl } from '../../src/rpc/socket-address.ts';

test('an address without a scheme follows the TLS setting, a URL stays', () => {
  expect(socketUrl('h:1', false)).toBe('ws://h:1');
  expect(socketUrl('h:1', true)).toBe('wss://h:1');
  expect(socketUrl('ws://h:1', true)).toBe('ws://h:1');
});

test.each([
  ['ws://192.0.2.1:1', true],
  ['ws://master:1', true],
  ['ws://[2001:db8::1]:1', true],
  ['wss://master:1', false],
  ['ws://127.0.0.9:1', false],
  ['ws://[::1]:1', false],
  ['ws://localhost:1', false],
])('%s in the clear: %s', (url, expected) => {
  expect(isInTheClear(url)).toBe(expected);
});
