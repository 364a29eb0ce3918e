import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import type { PersistStore } from '../persist-store.ts';
import { globToRegExp } from './glob.ts';
import { readSectorStoreFile } from './sector-store-file.ts';
import { endStoreProcess, linesOf, startStoreProcess } from './store-process.ts';

/** A line of find-stores-process. `text`: a sectorstore.json that is there. */
export interface FoundFile {
  readonly path: string;
  readonly is: 'asked' | 'answered' | 'done';
  readonly text?: string;
  readonly trouble?: string;
}

const LIMIT_MS = 10_000;
/** Each may hang in another store. */
const CALLS = 64;

/**
 * The stores that sector-manager.cfg lists and those that its globs lead to. What does not answer is left out with a warning: a
 * daemon starts without it. One that was there before, or is attached, stays while a glob leads to its path: without it, sectors that
 * are nowhere else would be bad while it is not mounted.
 * @throws CodedError `bad-config` for two stores of one name
 */
export async function configuredStores(
  { clock }: { readonly clock: Clock },
  common: {
    readonly persistStores: readonly PersistStore[];
    readonly scanPersistStores: readonly string[];
  },
  { limitMs = LIMIT_MS, known = [] }: { readonly limitMs?: number; readonly known?: readonly PersistStore[] } = {},
): Promise<{ readonly stores: readonly PersistStore[]; readonly warnings: readonly string[] }> {
  const stores = [...common.persistStores];
  const warnings: string[] = [];
  for (const { path, text, trouble } of await findFiles(clock, common.scanPersistStores, limitMs)) {
    if (stores.some((store) => store.path === path)) continue;
    const store = text === undefined ? undefined : readSectorStoreFile(path, text);
    const reason = typeof store === 'string' ? store : trouble;
    const before = known.find((one) => one.path === path);
    if (reason !== undefined && before !== undefined) {
      stores.push(before);
      warnings.push(`Common.ScanPersistStores: the store ${path} stays as it was: ${reason}`);
    } else if (reason !== undefined)
      warnings.push(`Common.ScanPersistStores: the store ${path} is left out: ${reason}`);
    else if (typeof store === 'object') stores.push(store);
  }
  const isSame = (one: PersistStore, other: PersistStore) => one.path === other.path || one.name === other.name;
  for (const store of known) {
    const isMeant = common.scanPersistStores.some((glob) => leadsTo(glob, store.path));
    if (isMeant && !stores.some((one) => isSame(one, store))) stores.push(store);
  }
  for (const [index, { name, path }] of stores.entries()) {
    const other = stores.slice(0, index).find((store) => store.name === name);
    if (other !== undefined) {
      throw new CodedError(
        'bad-config',
        `two stores are called ${JSON.stringify(name)}: ${other.path} and ${path}; give each its own name`,
      );
    }
  }
  return { stores, warnings };
}

function leadsTo(glob: string, path: string): boolean {
  const [patterns, names] = [glob, path].map((text) => text.split('/').filter((part) => part !== ''));
  if (patterns === undefined || names === undefined || patterns.length !== names.length) return false;
  return patterns.every((pattern, level) => globToRegExp(pattern).test(names[level] ?? ''));
}

/** By path. */
async function findFiles(clock: Clock, globs: readonly string[], limitMs: number): Promise<FoundFile[]> {
  if (globs.length === 0) return [];
  const child = startStoreProcess('find-stores-process', { args: globs, calls: CALLS });
  const files = new Map<string, FoundFile>();
  // Its output ends, and what was asked and not answered is left over.
  const callOff = clock.after(limitMs, () => endStoreProcess(child));
  try {
    for await (const line of linesOf(child)) {
      const found: FoundFile = JSON.parse(line);
      if (found.is === 'done') break;
      files.set(found.path, found);
    }
  } finally {
    callOff();
    endStoreProcess(child);
  }
  return [...files.values()]
    .map((file) => (file.is === 'asked' ? { ...file, trouble: `it gave no answer within ${limitMs} ms` } : file))
    .sort((left, right) => (left.path < right.path ? -1 : 1));
}
