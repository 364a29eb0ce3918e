import { expect, it } from 'vitest';
import { parseEndpoint } from '../../src/chain/endpoint.ts';

it.each([
  ['ws://node:1234/rpc/v1', 'ws://node:1234/rpc/v1', undefined],
  ['http://127.0.0.1:1234', 'ws://127.0.0.1:1234/rpc/v1', undefined],
  ['https://node.example/some/path/', 'wss://node.example/some/path', undefined],
  ['/ip4/127.0.0.1/tcp/1234/http', 'ws://127.0.0.1:1234/rpc/v1', undefined],
  ['/ip4/127.0.0.1/tcp/1234', 'ws://127.0.0.1:1234/rpc/v1', undefined],
  ['/dns/node.example/tcp/443/wss', 'wss://node.example/rpc/v1', undefined],
  ['/ip6/::1/tcp/1234/ws', 'ws://[::1]:1234/rpc/v1', undefined],
  ['eyJh.eyJB.c1-_:/ip4/10.0.0.1/tcp/3453/ws', 'ws://10.0.0.1:3453/rpc/v1', 'eyJh.eyJB.c1-_'],
  ['eyJh.eyJB.c1:http://node:1', 'ws://node:1/rpc/v1', 'eyJh.eyJB.c1'],
])('reads %s', (text, url, token) => {
  expect(parseEndpoint(text)).toEqual({ url, token });
});

it.each(['', 'node:1234', 'ftp://node', '/ip4/127.0.0.1', '/unix/tmp/socket', 'ws://'])('refuses %j', (text) => {
  expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'bad-chain-url' }));
});

it('keeps a token out of the error', () => {
  expect(() => parseEndpoint('eyJhbGciOiJIUzI1NiIsInR5cCI6.x:nonsense')).toThrow(/^"<token>:nonsense"/);
});
