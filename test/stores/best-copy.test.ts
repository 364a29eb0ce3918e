import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Finding } from '../../src/stores/check-messages.ts';
import { judge, type StoreLook } from '../../src/stores/judge.ts';
import type { SectorCopy } from '../../src/stores/sector-check.ts';
import { filesOf } from './test-stores.ts';

const finding = (is: Finding['is']): Finding => ({ is, reason: is === 'good' ? '' : `it is ${is}` });

/** What a store has of the sector; it can be trusted. */
const lookOf = (name: string, sealed: Finding['is'], cache: Finding['is']): StoreLook => ({
  store: { name, path: `/${name}`, strict: false, readOnly: false, weight: 1, allowMiners: [], denyMiners: [] },
  look: { sealed: finding(sealed), cache: finding(cache) },
  hasFolder: () => true,
});

const whole = (name: string): StoreLook => lookOf(name, 'good', 'good');

/** Reads what is found, again and again, as if every copy were corrupt. Names of the stores of sealed file and cache folder. */
function readInVain(looks: readonly StoreLook[]): {
  readonly tried: string[];
  readonly end: string;
  readonly doubt?: string;
} {
  const corrupt: SectorCopy[] = [];
  const tried: string[] = [];
  for (;;) {
    const check = judge(1, filesOf(1), looks, corrupt);
    if (check.verdict === 'corrupt' && check.doubt !== undefined)
      return { tried, end: check.verdict, doubt: check.doubt };
    if (check.verdict !== 'good') return { tried, end: check.verdict };
    corrupt.push(check);
    tried.push(`${check.sealedFile.split('/')[1]}${check.cacheDir.split('/')[1]}`);
  }
}

test('copies are tried in the order of the stores, and no file for a third time', () => {
  expect(readInVain([whole('a'), whole('b'), whole('c')])).toEqual({ tried: ['aa', 'bb', 'cc'], end: 'corrupt' });
});

test('a copy that is whole in one store comes before parts of two', () => {
  const looks = [lookOf('a', 'good', 'missing'), whole('b'), lookOf('c', 'missing', 'good')];
  expect(readInVain(looks)).toEqual({ tried: ['bb', 'ac'], end: 'corrupt' });
});

test('of a sealed file or a cache folder that is there only once, each partner is tried', () => {
  const looks = [whole('a'), lookOf('b', 'good', 'missing'), lookOf('c', 'missing', 'good')];
  expect(readInVain(looks)).toEqual({ tried: ['aa', 'bc'], end: 'corrupt' });
  expect(readInVain([whole('a'), lookOf('b', 'good', 'missing')])).toEqual({ tried: ['aa', 'ba'], end: 'corrupt' });
});

test('a store that may have a good copy is said of what is corrupt in another one', () => {
  const away = { ...lookOf('b', 'missing', 'missing'), trouble: 'not itself' };
  expect(readInVain([whole('a'), lookOf('b', 'unknown', 'unknown')]).doubt).toMatch(/^b: /);
  expect(readInVain([whole('a'), away])).toEqual({ tried: ['aa'], end: 'corrupt', doubt: 'b: not itself' });
  expect(readInVain([whole('a'), lookOf('b', 'missing', 'wrong')])).toEqual({ tried: ['aa'], end: 'corrupt' });
});

test('trying ends, and reaches every file that has a partner', () => {
  const is = fc.constantFrom<Finding['is']>('good', 'missing', 'wrong');
  const stores = fc.array(fc.tuple(is, is), { maxLength: 5 });
  fc.assert(
    fc.property(stores, (found) => {
      const looks = found.map(([sealed, cache], index) => lookOf(`${index}`, sealed, cache));
      const { tried } = readInVain(looks);
      const has = (part: 'sealed' | 'cache') =>
        looks.filter(({ look }) => look[part].is === 'good').map(({ store }) => store.name);
      const isWhole = has('sealed').length > 0 && has('cache').length > 0;
      expect(new Set(tried.map((pair) => pair[0]))).toEqual(new Set(isWhole ? has('sealed') : []));
      expect(new Set(tried.map((pair) => pair[1]))).toEqual(new Set(isWhole ? has('cache') : []));
    }),
  );
});
