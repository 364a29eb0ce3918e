import { join } from 'node:path';
import type { Finding, Look } from './check-messages.ts';
import type { PersistStore } from './persist-store.ts';
import type { SectorCheck } from './sector-check.ts';
import type { SectorFiles, StoreFolder } from './sector-files.ts';

/** What one store said of a sector. */
export interface StoreLook {
  readonly store: PersistStore;
  readonly look: Look;
  /** Why what is not there does not count; absent while the store can be trusted. */
  readonly trouble?: string;
  readonly hasFolder: (folder: StoreFolder) => boolean;
}

type Part = 'sealed' | 'cache';

/** Puts together what all stores said. Sealed file and cache folder may come from different stores. */
export function judge(number: number, files: SectorFiles, looks: readonly StoreLook[]): SectorCheck {
  const sealed = looks.find(({ look }) => look.sealed.is === 'good');
  const cache = sealed?.look.cache.is === 'good' ? sealed : looks.find(({ look }) => look.cache.is === 'good');
  if (sealed !== undefined && cache !== undefined) {
    return {
      number,
      verdict: 'good',
      store: sealed.store.name,
      sealedFile: join(sealed.store.path, files.sealed.path),
      cacheDir: join(cache.store.path, files.cache.path),
    };
  }
  const doubts = (['sealed', 'cache'] as const)
    .filter((part) => (part === 'sealed' ? sealed : cache) === undefined)
    .map((part) => doubt(part, files, looks));
  const [first] = doubts.filter(({ verdict }) => verdict === 'unknown').concat(doubts);
  return { number, verdict: first?.verdict ?? 'unknown', reason: first?.reason ?? 'no store was looked at' };
}

/** Why a part is good in no store. */
function doubt(
  part: Part,
  files: SectorFiles,
  looks: readonly StoreLook[],
): { readonly verdict: 'bad' | 'unknown'; readonly reason: string } {
  const findings = looks.map(({ store, look, trouble, hasFolder }) => ({
    store,
    finding: look[part],
    trouble,
    hasFolder,
  }));
  for (const { store, finding, trouble } of findings) {
    if (trouble !== undefined) return { verdict: 'unknown', reason: `${store.name}: ${trouble}` };
    if (finding.is === 'unknown') return { verdict: 'unknown', reason: `${store.name}: ${finding.reason}` };
  }
  const { folder, path } = files[part];
  const counting = findings.filter(({ finding, hasFolder }) => finding.is === 'wrong' || hasFolder(folder));
  const [only] = counting;
  if (only === undefined) return { verdict: 'unknown', reason: `no store has a folder ${folder}/ with anything in it` };
  const wrong = counting.find(({ finding }) => finding.is === 'wrong') ?? (counting.length === 1 ? only : undefined);
  const reason = wrong === undefined ? `${path} is in none of ${counting.length} stores` : said(wrong);
  return { verdict: 'bad', reason };
}

function said({ store, finding }: { readonly store: PersistStore; readonly finding: Finding }): string {
  return `${store.name}: ${finding.reason}`;
}
