import { expect, test } from 'vitest';
import { idAddress } from '../../src/filecoin/address.ts';
import type { Message } from '../../src/filecoin/message.ts';
import {
  messageFromJson,
  messageToJson,
  signedMessageFromJson,
  signedMessageToJson,
} from '../../src/filecoin/message-json.ts';

const message: Message = {
  version: 0,
  to: idAddress(1001),
  from: idAddress(1000),
  nonce: 7,
  value: 10n ** 27n,
  gasLimit: 1,
  gasFeeCap: 2n,
  gasPremium: 3n,
  method: 5,
  params: Uint8Array.of(0x80),
};

test('a message survives JSON, with amounts above 2^53', () => {
  expect(messageFromJson(messageToJson(message))).toEqual(message);
  const signed = { message, signature: { type: 'bls', data: new Uint8Array(96) } } as const;
  expect(signedMessageFromJson(signedMessageToJson(signed))).toEqual(signed);
});

test.each([
  ['Version', 1],
  ['Value', '1.5'],
  ['GasFeeCap', ''],
  ['GasPremium', '0x1'],
  ['Params', 'g*=='],
])('a bad %s is refused', (field, value) => {
  const bad = expect.objectContaining({ code: 'bad-message' });
  expect(() => messageFromJson({ ...messageToJson(message), [field]: value })).toThrow(bad);
});

test('an unknown signature type is refused', () => {
  const json = { Message: messageToJson(message), Signature: { Type: 3, Data: '' } };
  expect(() => signedMessageFromJson(json)).toThrow(expect.objectContaining({ code: 'bad-message' }));
});
