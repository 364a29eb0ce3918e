import { expect, test } from 'vitest';
import { gatewayUrls } from '../../src/winning/gateway-url.ts';

test('a gateway is looked for at each version of its API, or at the one that is named', () => {
  const all = (base: string) => ['/rpc/v2', '/rpc/v1', '/rpc/v0'].map((path) => base + path);
  expect(gatewayUrls('ws://10.0.0.1:45132')).toEqual(all('ws://10.0.0.1:45132'));
  expect(gatewayUrls('https://gateway.example/fil/')).toEqual(all('wss://gateway.example/fil'));
  expect(gatewayUrls('http://10.0.0.1:45132/rpc/v1')).toEqual(['ws://10.0.0.1:45132/rpc/v1']);
});
