import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutText, readableDistance, readableDuration, readableTime } from '../../src/cli/readable.ts';
import { textTable } from '../../src/cli/text-table.ts';

test.each([
  [0, '0s'],
  [999, '0s'],
  [59_999, '59s'],
  [60_000, '1m00s'],
  [192_500, '3m12s'],
  [3_599_999, '59m59s'],
  [3_900_000, '1h05m'],
  [86_399_999, '23h59m'],
  [183_600_000, '2d03h'],
  [-5, '0s'],
])('%d ms is %s', (ms, text) => {
  expect(readableDuration(ms)).toBe(text);
});

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

test('a duration is read back to within its smaller unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (ms) => {
      const parts = [...readableDuration(ms).matchAll(/(\d+)([smhd])/g)];
      const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? Number.NaN), 0);
      const smallest = UNITS[parts.at(-1)?.[2] ?? ''] ?? Number.NaN;
      expect(ms - total).toBeGreaterThanOrEqual(0);
      expect(ms - total).toBeLessThan(smallest);
    }),
  );
});

test('times are local, distances say the direction', () => {
  expect(readableTime(1_700_000_000_000)).toMatch(/^2023-11-1[45] \d\d:\d\d:20$/);
  expect(readableTime(null)).toBe('-');
  expect(readableDistance(61_000, 1_000)).toBe('in 1m00s');
  expect(readableDistance(1_000, 61_000)).toBe('1m00s ago');
});

test('a text is cut to one line', () => {
  expect(cutText('two\nlines', 20)).toBe('two lines');
  expect(cutText('0123456789', 10)).toBe('0123456789');
  expect(cutText('01234567890', 10)).toBe('012345678…');
});

test('a table is aligned, numbers to the right', () => {
  const rows = [
    ['a', 5, 'x'],
    ['long', 120, ''],
  ];
  expect(textTable(['NAME', 'N', 'END'], rows)).toBe('NAME    N  END\na       5  x\nlong  120');
  expect(textTable(['NAME', 'N'], [])).toBe('NAME  N');
});
