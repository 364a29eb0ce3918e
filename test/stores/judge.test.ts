import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Finding } from '../../src/stores/check-messages.ts';
import { judge, type StoreLook } from '../../src/stores/judge.ts';
import { storeFolders } from '../../src/stores/sector-files.ts';
import { filesOf } from './test-stores.ts';

const finding: fc.Arbitrary<Finding> = fc
  .constantFrom<Finding['is'][]>('good', 'missing', 'wrong', 'unknown')
  .map((is) => ({ is, reason: is === 'good' ? '' : `it is ${is}` }));

const storeLook: fc.Arbitrary<StoreLook> = fc
  .record({
    sealed: finding,
    cache: finding,
    trouble: fc.boolean(),
    folders: fc.subarray([...storeFolders]),
    name: fc.nat(9),
  })
  .map(({ sealed, cache, trouble, folders, name }) => ({
    store: {
      name: `s${name}`,
      path: `/s${name}`,
      strict: false,
      readOnly: false,
      weight: 1,
      allowMiners: [],
      denyMiners: [],
    },
    look: { sealed, cache },
    ...(trouble && { trouble: 'not itself' }),
    hasFolder: (folder) => folders.includes(folder),
  }));

test('good means both parts are good somewhere; bad needs every store to be sure', () => {
  fc.assert(
    fc.property(fc.array(storeLook, { maxLength: 4 }), (looks) => {
      const { verdict } = judge(1, filesOf(1), looks);
      const isGood = (part: 'sealed' | 'cache') => looks.some(({ look }) => look[part].is === 'good');
      expect(verdict === 'good').toBe(isGood('sealed') && isGood('cache'));
      if (verdict !== 'bad') return;
      for (const { look, trouble } of looks) {
        expect(trouble).toBeUndefined();
        for (const part of ['sealed', 'cache'] as const) if (!isGood(part)) expect(look[part].is).not.toBe('unknown');
      }
    }),
  );
});

test('the reason names what is wrong before what is missing', () => {
  const looks = (['missing', 'wrong'] as const).map(
    (is, index): StoreLook => ({
      store: {
        name: `s${index}`,
        path: `/s${index}`,
        strict: false,
        readOnly: false,
        weight: 1,
        allowMiners: [],
        denyMiners: [],
      },
      look: { sealed: { is, reason: `it is ${is}` }, cache: { is: 'good', reason: '' } },
      hasFolder: () => true,
    }),
  );
  expect(judge(1, filesOf(1), looks)).toEqual({ number: 1, verdict: 'bad', reason: 's1: it is wrong' });
});
