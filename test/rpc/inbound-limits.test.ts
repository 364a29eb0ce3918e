import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InboundMeter } from '../../src/rpc/inbound-limits.ts';
import { ManualClock } from './manual-clock.ts';

const limits = {
  messages: { perSecond: 1_000, burst: 1_000 },
  patience: { perSecond: 1, burst: 10 },
  calls: 5,
  bytes: 1_000,
};

test('calls at the same time stay within number and bytes, but one alone may always come', () => {
  const size = fc.integer({ min: 0, max: 3_000 });
  fc.assert(
    fc.property(fc.array(fc.record({ size, ends: fc.boolean() }), { maxLength: 100 }), (steps) => {
      const meter = new InboundMeter({ clock: new ManualClock() }, limits);
      const running: number[] = [];
      for (const { size: bytes, ends } of steps) {
        if (ends) {
          const ended = running.shift();
          if (ended !== undefined) meter.end(ended);
          continue;
        }
        const sum = running.reduce((a, b) => a + b, 0);
        const fits = running.length === 0 || (running.length < 5 && sum + bytes <= 1_000);
        expect(meter.begin(bytes) === undefined).toBe(fits);
        if (fits) running.push(bytes);
      }
    }),
  );
});

test('a refusal says which limit', () => {
  const clock = new ManualClock();
  const many = new InboundMeter({ clock }, limits);
  for (let call = 0; call < 5; call++) expect(many.begin(0)).toBeUndefined();
  expect(many.begin(0)).toMatch(/^5 calls at the same time/);
  const large = new InboundMeter({ clock }, limits);
  large.begin(900);
  expect(large.begin(101)).toMatch(/^calls of 1000 bytes in all/);
});

test('bad messages are borne for a while, large ones less', () => {
  const clock = new ManualClock();
  const meter = new InboundMeter({ clock }, limits);
  for (let message = 0; message < 10; message++) expect(meter.bears(65_535)).toBe(true);
  expect(meter.bears(0)).toBe(false);
  clock.advance(3_000);
  expect(meter.bears(3 * 65_536)).toBe(false);
  expect(meter.bears(2 * 65_536)).toBe(true);
});
