import { z } from 'zod';
import type { Copy } from '../../../stores/index/sector-index.ts';

/**
 * `Venus.SectorIndexerFind` as venus-sector-manager and damocles-manager have it on the wire (core/api.go, core/types.go): the kind of
 * index and the sector in, the names of stores out.
 */
export const findParams = z.tuple([
  z.enum(['normal', 'upgrade']),
  z.object({ Miner: z.int().nonnegative(), Number: z.int().nonnegative() }),
]);

export const findResult = z.object({
  Found: z.boolean(),
  Instance: z.object({ SealedFile: z.string(), CacheDir: z.string() }),
});

type FindResult = z.output<typeof findResult>;

/** What we answer for copies of our index. */
export function locationOf(copies: readonly Copy[]): FindResult {
  const sealed = copies.find((copy) => copy.hasSealed && copy.hasCache) ?? copies.find((copy) => copy.hasSealed);
  if (sealed === undefined) return { Found: false, Instance: { SealedFile: '', CacheDir: '' } };
  const cache = sealed.hasCache ? sealed : copies.find((copy) => copy.hasCache);
  return { Found: true, Instance: { SealedFile: sealed.store, CacheDir: (cache ?? sealed).store } };
}

/** What an answer says as copies; none where nothing was found. */
export function copiesOf({ Found, Instance: { SealedFile, CacheDir } }: FindResult): readonly Copy[] {
  if (!Found || SealedFile === '') return [];
  // An index without an entry of its own for the cache means the same store.
  if (CacheDir === '' || CacheDir === SealedFile) return [{ store: SealedFile, hasSealed: true, hasCache: true }];
  return [
    { store: SealedFile, hasSealed: true, hasCache: false },
    { store: CacheDir, hasSealed: false, hasCache: true },
  ];
}
