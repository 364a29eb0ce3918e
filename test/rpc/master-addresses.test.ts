import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MasterAddresses } from '../../src/rpc/master-addresses.ts';

/** Takes the whole round. */
function round(addresses: MasterAddresses): string[] {
  const tried: string[] = [];
  for (let url = addresses.next(); url !== undefined; url = addresses.next()) tried.push(url);
  return tried;
}

test('a round tries each address once, the good one of last time first', () => {
  const addresses = new MasterAddresses(['ws://a:1', 'ws://b:1']);
  expect(round(addresses)).toEqual(['ws://a:1', 'ws://b:1']);
  addresses.restart('ws://b:1');
  expect(round(addresses)).toEqual(['ws://b:1', 'ws://a:1']);
  addresses.restart('ws://elsewhere:1');
  expect(round(addresses)).toEqual(['ws://elsewhere:1', 'ws://a:1', 'ws://b:1']);
});

test('a leader that is named comes next, unless it was tried in this round', () => {
  const addresses = new MasterAddresses(['ws://a:1', 'ws://b:1', 'ws://c:1']);
  addresses.next();
  addresses.hint('ws://a:1', 'c:1');
  expect(addresses.next()).toBe('ws://c:1');
  addresses.hint('ws://c:1', 'a:1');
  expect(round(addresses)).toEqual(['ws://b:1']);
});

test('it is reached as the one that named it, whatever the name says', () => {
  const addresses = new MasterAddresses(['wss://a:1']);
  addresses.next();
  addresses.hint('wss://a:1', 'b:2');
  addresses.hint('wss://a:1', 'ws://c:3');
  addresses.hint('wss://a:1', '[::1]:4');
  expect(round(addresses)).toEqual(['wss://[::1]:4', 'wss://b:2']);
});

test.each([undefined, null, 7, '', 'x', 'x:', 'x@y:1', 'x/y:1', 'a b:1', 'x:99999', 'http://x:1'])(
  '%j is no leader',
  (leader) => {
    const addresses = new MasterAddresses(['ws://a:1']);
    addresses.hint('ws://a:1', leader);
    expect(round(addresses)).toEqual(['ws://a:1']);
  },
);

test('every round ends, however many leaders are named, and none is tried twice in it', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      fc.infiniteStream(fc.nat(60_000)),
      (ports, hints) => {
        const urls = ports.map((port) => `ws://a:${port}`);
        const addresses = new MasterAddresses(urls);
        const tried: string[] = [];
        for (let url = addresses.next(); url !== undefined; url = addresses.next()) {
          tried.push(url);
          addresses.hint(url, `b:${hints.next().value}`);
          expect(tried.length).toBeLessThan(20);
        }
        expect(new Set(tried).size).toBe(tried.length);
        expect(tried).toEqual(expect.arrayContaining(urls));
      },
    ),
  );
});
