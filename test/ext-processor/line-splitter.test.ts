import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineSplitter } from '../../src/ext-processor/line-splitter.ts';

test('gives the same lines wherever the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, '\u2028'));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const seen: string[] = [];
      const take = lineSplitter((text) => seen.push(text));
      for (const [index, from] of borders.slice(0, -1).entries()) take(bytes.subarray(from, borders[index + 1]));
      expect(seen).toEqual(lines);
    }),
  );
});

test('takes CRLF, and never gives a line without an end', () => {
  const seen: string[] = [];
  lineSplitter((text) => seen.push(text))(Buffer.from('one\r\ntwo\nthree'));
  expect(seen).toEqual(['one', 'two']);
});

test('refuses a line that grows without end', () => {
  const take = lineSplitter(() => {}, 10);
  take(Buffer.from('12345'));
  expect(() => take(Buffer.from('678901'))).toThrow(expect.objectContaining({ code: 'line-too-long' }));
});
