import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globToRegExp } from '../../src/stores/scan/glob.ts';
import { parseSectorName, printableName } from '../../src/stores/scan/sector-name.ts';

describe('names of sectors', () => {
  test('are told by their numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (miner, number) => {
        fc.pre(miner > 0);
        expect(parseSectorName(`s-t0${miner}-${number}`)).toEqual({ minerId: miner, number });
      }),
    );
  });

  test.each([
    's-t01000-9 9',
    's-t0x-1',
    's-t01000-01',
    's-t001000-1',
    's-t01000--1',
    's-t01000-1\n',
    's-t01000-9007199254740993',
    's-f01000-1',
    '../s-t01000-1',
    '',
  ])('%j is none', (name) => {
    expect(parseSectorName(name)).toEqual(expect.any(String));
  });

  test('that are none are shown without what a terminal would obey', () => {
    expect(printableName(Buffer.from('a\x1b[2Jü').toString('latin1'))).toBe('a\\u001b[2Jü');
    expect(printableName('\xff'.repeat(300)).length).toBeLessThanOrEqual(100);
  });
});

describe('patterns of names', () => {
  test.each([
    ['*', 's-t01000-1', true],
    ['s-t01000-*', 's-t01000-17', true],
    ['s-t01000-*', 's-t01001-17', false],
    ['s-t01000-1[0-9]', 's-t01000-15', true],
    ['s-t01000-1[0-9]', 's-t01000-1', false],
    ['s-t01000-1[^0-4]', 's-t01000-13', false],
    ['?-t*', 's-t', true],
    ['a.b', 'axb', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'aab', false],
    ['[]]', 'a', undefined],
    ['a[', 'a', undefined],
    ['a\\', 'a', undefined],
    ['[z-a]', 'a', undefined],
  ])('%j on %j: %s', (pattern, name, matches) => {
    if (matches === undefined)
      expect(() => globToRegExp(pattern)).toThrow(expect.objectContaining({ code: 'bad-pattern' }));
    else expect(globToRegExp(pattern).test(name)).toBe(matches);
  });
});
