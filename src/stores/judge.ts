import { bestCopy, pathsOf } from './best-copy.ts';
import type { Finding, Look } from './check-messages.ts';
import type { PersistStore } from './persist-store.ts';
import type { SectorCheck, SectorCopy } from './sector-check.ts';
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

const parts = ['sealed', 'cache'] as const satisfies readonly Part[];

/** Puts together what all stores said. @param corrupt copies of it that gave no proof */
export function judge(
  number: number,
  files: SectorFiles,
  looks: readonly StoreLook[],
  corrupt: readonly SectorCopy[] = [],
): SectorCheck {
  const copy = bestCopy(files, looks, corrupt);
  if (copy !== undefined) {
    return { number, verdict: 'good', store: copy.sealed.store.name, ...pathsOf(files, copy) };
  }
  const tried = bestCopy(files, looks);
  if (tried !== undefined) {
    const doubt = unknownIn('sealed', looks) ?? unknownIn('cache', looks);
    const reason = `${corrupt.map(({ sealedFile }) => sealedFile).join(' and ')} gave no proof, and there is no other copy`;
    const found = { number, store: tried.sealed.store.name, ...pathsOf(files, tried), reason };
    return { ...found, verdict: 'corrupt', ...(doubt !== undefined && { doubt }) };
  }
  const doubts = parts
    .filter((part) => looks.every(({ look }) => look[part].is !== 'good'))
    .map((part) => doubt(part, files, looks));
  const [first] = doubts.filter(({ verdict }) => verdict === 'unknown').concat(doubts);
  return { number, verdict: first?.verdict ?? 'unknown', reason: first?.reason ?? 'no store was looked at' };
}

/** Why a store may have a part after all. */
function unknownIn(part: Part, looks: readonly StoreLook[]): string | undefined {
  for (const { store, look, trouble } of looks) {
    if (trouble !== undefined) return `${store.name}: ${trouble}`;
    if (look[part].is === 'unknown') return `${store.name}: ${look[part].reason}`;
  }
  return undefined;
}

/** Why a part is good in no store. */
function doubt(
  part: Part,
  files: SectorFiles,
  looks: readonly StoreLook[],
): { readonly verdict: 'bad' | 'unknown'; readonly reason: string } {
  const unknown = unknownIn(part, looks);
  if (unknown !== undefined) return { verdict: 'unknown', reason: unknown };
  const findings = looks.map(({ store, look, hasFolder }) => ({ store, finding: look[part], hasFolder }));
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
