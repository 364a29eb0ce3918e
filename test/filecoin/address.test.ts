import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  actorId,
  addressFromBytes,
  addressToBytes,
  formatAddress,
  idAddress,
  parseAddress,
  proverId,
} from '../../src/filecoin/address.ts';

const addresses = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((id) => addressToBytes(idAddress(id))),
    ...[1, 2].map((protocol) => fc.uint8Array({ minLength: 20, maxLength: 20 }).map((hash) => [protocol, ...hash])),
    fc.uint8Array({ minLength: 48, maxLength: 48 }).map((key) => [3, ...key]),
    fc.uint8Array({ maxLength: 54 }).map((subaddress) => [4, 10, ...subaddress]),
  )
  .map((bytes) => addressFromBytes(Uint8Array.from(bytes)));

test('text and bytes read back as the same address', () => {
  fc.assert(
    fc.property(addresses, fc.constantFrom('f', 't'), (address, network) => {
      expect(parseAddress(formatAddress(address, network))).toEqual(address);
      expect(addressFromBytes(addressToBytes(address))).toEqual(address);
    }),
  );
});

test('one wrong letter in a key address is noticed', () => {
  const text = formatAddress(addressFromBytes(Uint8Array.of(1, ...new Uint8Array(20).fill(7))));
  for (let at = 2; at < text.length; at++) {
    const typo = `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
    expect(() => parseAddress(typo)).toThrow(expect.objectContaining({ code: 'bad-address' }));
  }
});

test('a miner is known to the proofs library by its id', () => {
  expect(proverId(parseAddress('t01001'))).toEqual(Uint8Array.of(0xe9, 7, ...new Uint8Array(30)));
  expect(actorId(parseAddress('f0001001'))).toBe(1001n);
});

test('ids end at 2^63-1 and 19 digits, as text and as bytes', () => {
  const bad = expect.objectContaining({ code: 'bad-address' });
  for (const text of ['f09223372036854775808', `f0${'0'.repeat(19)}1`]) expect(() => parseAddress(text)).toThrow(bad);
  const above = Uint8Array.of(0, ...new Uint8Array(9).fill(0x80), 1);
  expect(() => addressFromBytes(above)).toThrow(bad);
});

test('only id addresses have an id', () => {
  const key = addressFromBytes(Uint8Array.of(1, ...new Uint8Array(20)));
  expect(() => actorId(key)).toThrow(expect.objectContaining({ code: 'not-an-id-address' }));
  for (const id of [-1n, 2n ** 63n])
    expect(() => idAddress(id)).toThrow(expect.objectContaining({ code: 'bad-address' }));
});
