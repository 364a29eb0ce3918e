import { expect, test } from 'vitest';
import { addressOfKey, formatKeyInfo, parseKeyInfo, recoverSigner, signDigest } from '../../src/filecoin/secp256k1.ts';

const key = new Uint8Array(32).fill(3);
const digest = new Uint8Array(32).fill(5);

test('the signer is recovered from a signature, and another one from a changed digest', () => {
  const signature = signDigest(digest, key);
  expect(recoverSigner(digest, signature)).toEqual(addressOfKey(key));
  expect(recoverSigner(new Uint8Array(32).fill(6), signature)).not.toEqual(addressOfKey(key));
});

test.each([0, 64, 66])('%i bytes are no signature', (length) => {
  expect(() => recoverSigner(digest, new Uint8Array(length))).toThrow(
    expect.objectContaining({ code: 'bad-signature' }),
  );
});

test('what is no exported key is refused', () => {
  const hexOf = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('hex');
  for (const text of [
    '',
    'xyz',
    hexOf({}),
    hexOf({ Type: 'bls', PrivateKey: Buffer.from(key).toString('base64') }),
    formatKeyInfo(new Uint8Array(31)),
  ]) {
    expect(() => parseKeyInfo(text)).toThrow(expect.objectContaining({ code: 'bad-key' }));
  }
});
