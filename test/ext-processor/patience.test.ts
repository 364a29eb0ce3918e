import { expect, test } from 'vitest';
import { assumedWindowPace, MeasuredPace, patienceFor } from '../../src/ext-processor/patience.ts';

const MINUTE = 60_000;

test.each([
  ['a whole deadline, nothing measured', 30, assumedWindowPace(30 * MINUTE), 15, 25.5],
  ['little of it left: the same shares', 10, assumedWindowPace(10 * MINUTE), 5, 8.5],
  ['a task that closes in hours', 120, assumedWindowPace(120 * MINUTE), 15, 30],
  ['a slow cluster', 30, { usual: 12 * MINUTE, slow: 14 * MINUTE }, 18, undefined],
  ['no other proof fits any more', 10, { usual: 6 * MINUTE, slow: 7 * MINUTE }, 6, undefined],
])('%s', (_, left, pace, askAnother, giveUp) => {
  expect(patienceFor(left * MINUTE, pace)).toEqual({
    askAnotherMs: askAnother * MINUTE,
    giveUpMs: giveUp === undefined ? undefined : giveUp * MINUTE,
  });
});

test('after the end there is none', () => {
  expect(patienceFor(0, assumedWindowPace(0))).toBeUndefined();
});

test('the pace is said of five proofs and more, and of the last hundred', () => {
  const measured = new MeasuredPace();
  for (const tookMs of [9, 1, 2, 3]) measured.add(tookMs);
  expect(measured.pace).toBeUndefined();
  measured.add(4);
  expect(measured.pace).toEqual({ usual: 3, slow: 9 });
  for (let i = 0; i < 100; i++) measured.add(7);
  expect(measured.pace).toEqual({ usual: 7, slow: 7 });
});
