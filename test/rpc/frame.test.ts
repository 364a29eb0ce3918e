import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/rpc/frame.ts';

test('any text and any bytes come out as they went in, without a copy of the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, attachment) => {
      const data = encodeFrame(text, attachment);
      const frame = decodeFrame(data);
      expect(frame?.text).toBe(Buffer.from(text).toString());
      expect(Buffer.compare(frame?.attachment ?? Buffer.of(0), attachment)).toBe(0);
      expect(frame?.attachment?.buffer).toBe(data.buffer);
    }),
  );
});

test('the layout is the one of docs/rpc.md', () => {
  expect(encodeFrame('{}', Uint8Array.of(7, 8)).toString('hex')).toBe('00000002' + '7b7d' + '0708');
});

test('any other bytes are a frame or undefined, never an exception', () => {
  fc.assert(fc.property(fc.uint8Array(), (data) => void decodeFrame(Buffer.from(data))));
  for (const bad of ['', '000000', '00000001', 'ffffffff00']) {
    expect(decodeFrame(Buffer.from(bad, 'hex'))).toBeUndefined();
  }
});
