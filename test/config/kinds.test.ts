import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteCount } from '../../src/config/byte-count.ts';
import { duration, parseDuration } from '../../src/config/duration.ts';
import { parseEndpoint } from '../../src/config/endpoint.ts';
import { filAmount, parseFilAmount } from '../../src/config/fil-amount.ts';
import { KindMismatch } from '../../src/config/kind.ts';
import { listenAddress, minerId, serverAddress } from '../../src/config/kinds.ts';
import { nearest } from '../../src/config/nearest.ts';

describe('durations', () => {
  test.each([
    ['5m', 300_000],
    ['2days', 172_800_000],
    ['1h0m0s', 3_600_000],
    ['1m30s', 90_000],
    ['1h 30min', 5_400_000],
    ['500ms', 500],
    ['0.5s', 500],
    ['25h0m0s', 90_000_000],
  ])('%s', (text, expected) => expect(parseDuration(text)).toBe(expected));

  test.each(['', '5', 's', '-5s', '5s!', '1h,5m', '5 parsecs', 'm5'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  test('zero and bare numbers are refused', () => {
    expect(duration.read('0s')).toBeUndefined();
    expect(duration.read(5)).toBeUndefined();
  });

  test('what Go prints is read back', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(59), fc.nat(59), (h, m, s) => {
        expect(parseDuration(`${h}h${m}m${s}s`)).toBe(((h * 60 + m) * 60 + s) * 1000);
      }),
    );
  });
});

test.each([
  ['72GiB', 72 * 2 ** 30],
  ['1.5 MiB', 1.5 * 2 ** 20],
  [0, 0],
  [77_309_411_328, 77_309_411_328],
  ['72GB', undefined],
  ['72', undefined],
  [-1, undefined],
  [0.5, undefined],
])('a number of bytes: %j', (found, bytes) => expect(byteCount.read(found)).toBe(bytes));

describe('FIL amounts', () => {
  test.each([
    ['5 nanoFIL', 5_000_000_000n],
    ['5FIL', 5n * 10n ** 18n],
    ['0.07 fil', 7n * 10n ** 16n],
    ['100 attoFIL', 100n],
    ['3 nfil', 3_000_000_000n],
    ['1.50 nanofil', 1_500_000_000n],
    ['9 AFIL', 9n],
  ])('%s', (text, expected) => expect(parseFilAmount(text)).toBe(expected));

  test.each(['', 'FIL', '1.5 attoFIL', '-1 FIL', '1e3 FIL', '5 dollars'])('%j is none', (text) =>
    expect(parseFilAmount(text)).toBeUndefined(),
  );

  test('zero needs no unit, other numbers do', () => {
    expect(filAmount.read('0')).toBe(0n);
    expect(filAmount.read(0)).toBe(0n);
    expect(() => filAmount.read(5)).toThrow(KindMismatch);
    expect(() => filAmount.read('0.1')).toThrow(KindMismatch);
  });

  test('FIL with eighteen decimals is exact', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 27n), (atto) => {
        const digits = atto.toString().padStart(19, '0');
        expect(parseFilAmount(`${digits.slice(0, -18)}.${digits.slice(-18)} FIL`)).toBe(atto);
        expect(parseFilAmount(`${atto} attoFIL`)).toBe(atto);
      }),
    );
  });
});

describe('endpoints', () => {
  test.each([
    ['/ip4/47.243.169.165/tcp/1234/ws', { url: 'ws://47.243.169.165:1234' }],
    ['/ip4/127.0.0.1/tcp/1234/http', { url: 'http://127.0.0.1:1234' }],
    ['/ip4/127.0.0.1/tcp/41235', { url: 'ws://127.0.0.1:41235' }],
    ['/ip6/::1/tcp/1234/ws', { url: 'ws://[::1]:1234' }],
    ['/dns/cali-messager.filincubator.com/tcp/82/wss', { url: 'wss://cali-messager.filincubator.com:82' }],
    ['/dns4/node.example.com/tcp/443/https/', { url: 'https://node.example.com:443' }],
    ['ws://127.0.0.1:1234/rpc/v1', { url: 'ws://127.0.0.1:1234/rpc/v1' }],
    ['https://node.example.com/rpc/v1/', { url: 'https://node.example.com/rpc/v1' }],
    ['127.0.0.1:1234', { url: 'ws://127.0.0.1:1234' }],
    ['node:1234', { url: 'ws://node:1234' }],
    ['aa.b-c_d.ee:/ip4/127.0.0.1/tcp/1234/ws', { url: 'ws://127.0.0.1:1234', token: 'aa.b-c_d.ee' }],
    ['aa.bb.cc:http://127.0.0.1:1234/rpc/v1', { url: 'http://127.0.0.1:1234/rpc/v1', token: 'aa.bb.cc' }],
    ['aa.bb.cc:127.0.0.1:1234', { url: 'ws://127.0.0.1:1234', token: 'aa.bb.cc' }],
  ])('%s', (text, expected) => expect(parseEndpoint(text)).toEqual(expected));

  test.each([
    '',
    'node',
    '/ip4/127.0.0.1/udp/1234',
    '/ip4/127.0.0.1/tcp/0/ws',
    '/ip4/127.0.0.1/tcp/70000/ws',
    'ftp://a:1',
    'a b:127.0.0.1:1',
    'tok:',
  ])('%j is none', (text) => expect(parseEndpoint(text)).toBeUndefined());
});

test('addresses to listen on', () => {
  expect(listenAddress.read('0.0.0.0:4698')).toEqual({ host: '0.0.0.0', port: 4698 });
  expect(listenAddress.read(':1789')).toEqual({ host: '0.0.0.0', port: 1789 });
  expect(listenAddress.read('[::1]:0')).toEqual({ host: '::1', port: 0 });
  for (const wrong of ['4698', 'a:b', 'a:65536', '::1:5', 5]) expect(listenAddress.read(wrong)).toBeUndefined();
});

test('addresses of a master', () => {
  for (const right of ['192.168.200.113:4698', 'master:1', '[::1]:4698', 'wss://master.example.com/rpc']) {
    expect(serverAddress.read(right)).toBe(right);
  }
  for (const wrong of ['master', 'master:0', 'master:99999', 'http://master:1', ':4698', 4698])
    expect(serverAddress.read(wrong)).toBeUndefined();
});

test('numbers of miners', () => {
  for (const right of [1447, 't01447', 'f01447']) expect(minerId.read(right)).toBe(1447);
  for (const wrong of [0, -1, 1.5, '1447', 't1447', 't0']) expect(minerId.read(wrong)).toBeUndefined();
});

test('the nearest of several words', () => {
  expect(nearest('listne', ['listen', 'insecure'])).toBe('listen');
  expect(nearest('Gasfeecup', ['GasFeeCap', 'MaxFee'])).toBe('GasFeeCap');
  expect(nearest('colour', ['concurrent', 'name'])).toBeUndefined();
});
