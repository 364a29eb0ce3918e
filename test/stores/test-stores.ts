import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { sectorFiles } from '../../src/stores/sector-files.ts';

/**
 * The check process runs compiled, from the build folder; this brings it up to date with its sources. Each file is put there by a
 * rename, since other test files may do and use the same at this moment.
 */
export async function buildCheckProcess(): Promise<void> {
  const require = createRequire(import.meta.url);
  const root = new URL('../../', import.meta.url).pathname;
  await mkdir(join(root, 'build'), { recursive: true });
  const outDir = await mkdtemp(join(root, 'build/check-process-'));
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'test/stores/tsconfig.json'), '--outDir', outDir]);
  for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(root, 'dist', relative(outDir, from));
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  }
  await rm(outDir, { recursive: true });
}

export const MINER = 1000;
export const SIZE = 2048;

/** A folder with stores; all of it goes with `remove`. */
export class TestStores {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<TestStores> {
    return new TestStores(await mkdtemp(join(tmpdir(), 'wdpost-stores-')));
  }

  /** Made with its folder unless it is there. */
  async store(name: string, init: Partial<PersistStore> = {}): Promise<PersistStore> {
    const path = join(this.root, name);
    await mkdir(path, { recursive: true });
    return { name, path, strict: false, readOnly: false, weight: 1, allowMiners: [], denyMiners: [], ...init };
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}

export interface SectorInit {
  readonly upgraded?: boolean;
  readonly sectorSize?: number;
}

export function filesOf(number: number, { upgraded = false, sectorSize = SIZE }: SectorInit = {}) {
  return sectorFiles(MINER, number, { upgraded, sectorSize });
}

export async function makeSealed(store: PersistStore, number: number, init?: SectorInit): Promise<string> {
  const { sealed } = filesOf(number, init);
  const path = join(store.path, sealed.path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  await truncate(path, sealed.bytes);
  return path;
}

export async function makeCache(store: PersistStore, number: number, init?: SectorInit): Promise<string> {
  const { cache } = filesOf(number, init);
  const folder = join(store.path, cache.path);
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of cache.files) await writeFile(join(folder, name), new Uint8Array(bytes ?? 10));
  return folder;
}

export async function makeSector(
  store: PersistStore,
  number: number,
  init?: SectorInit,
): Promise<{ sealed: string; cache: string }> {
  return { sealed: await makeSealed(store, number, init), cache: await makeCache(store, number, init) };
}

/** The check processes of this test process that look at a store, by the store's path on their command lines. */
export async function checkProcesses(store: PersistStore): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('check-process') && command.split('\0').includes(store.path)) pids.push(Number(name));
  }
  return pids;
}
