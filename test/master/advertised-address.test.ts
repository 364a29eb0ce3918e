import { expect, test } from 'vitest';
import { advertisedAddress } from '../../src/programs/master/advertised-address.ts';

test.each([
  ['127.0.0.1', '127.0.0.1:4698'],
  ['192.0.2.1', '192.0.2.1:4698'],
  ['0.0.0.0', 'box:4698'],
  ['::', 'box:4698'],
  ['2001:db8::1', '[2001:db8::1]:4698'],
])('a listener on %s is reached at %s', (host, address) => {
  expect(advertisedAddress({ host, port: 4698, hostname: 'box' })).toBe(address);
});
