import { basename } from 'node:path';
import { CodedError } from '../errors/coded-error.ts';
import { extProverFile, loadExtProverConfig } from './ext-prover-file.ts';
import { type Loaded, readRawFile } from './load-file.ts';
import { loadManagerConfig, managerFile } from './manager-file.ts';
import { loadMasterConfig, masterFile } from './master-file.ts';
import { loadSlaveConfig, slaveFile } from './slave-file.ts';
import type { Fields, FileTable } from './table.ts';

interface KnownFile {
  readonly table: FileTable<Fields>;
  readonly load: (path: string) => Promise<Loaded<unknown>>;
}

const KNOWN: readonly KnownFile[] = [
  { table: managerFile, load: loadManagerConfig },
  { table: extProverFile, load: loadExtProverConfig },
  { table: masterFile, load: loadMasterConfig },
  { table: slaveFile, load: loadSlaveConfig },
];

/**
 * Reads one of our files, told apart by its name, or where that is another by its tables.
 * @throws CodedError as `loadFile`; `unknown-file` for one that is none of ours
 */
export async function loadAnyFile(path: string): Promise<Loaded<unknown> & { readonly kind: string }> {
  const known = KNOWN.find(({ table }) => table.name === basename(path)) ?? (await ofTables(path));
  if (known === undefined) {
    const names = KNOWN.map(({ table }) => table.name).join(', ');
    throw new CodedError('unknown-file', `${path} has no table of any file that is known here: ${names}`, { path });
  }
  return { ...(await known.load(path)), kind: known.table.name };
}

/** The one that knows most of its tables. */
async function ofTables(path: string): Promise<KnownFile | undefined> {
  const names = Object.keys(await readRawFile(path)).map((name) => name.toLowerCase());
  const counted = KNOWN.map((known) => ({
    known,
    count: Object.values(known.table.fields).filter(({ name }) => names.includes(name.toLowerCase())).length,
  }));
  const best = counted.reduce((left, right) => (right.count > left.count ? right : left));
  return best.count > 0 ? best.known : undefined;
}
