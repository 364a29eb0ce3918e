import { lstat as lstatLater, type Stats } from 'node:fs';
import { lstat, opendir, realpath, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Finding, Look, Probe } from './check-messages.ts';
import { type SectorFiles, type StoreFolder, storeFolders } from './sector-files.ts';
import { isInStore } from './store-area.ts';

// Runs in check processes only: every call here may hang with its store. Files are never opened, so a FIFO cannot block either.

const good: Finding = { is: 'good', reason: '' };

/** File after file: how much is asked of the store at once is for the asker to say, by how many sectors it asks for. */
export async function lookAtSector(root: string, { sealed, cache }: SectorFiles): Promise<Look> {
  const sealedFinding = await lookAtFile(root, sealed.path, sealed.bytes);
  return { sealed: sealedFinding, cache: await lookAtCache(root, cache) };
}

async function lookAtCache(root: string, cache: SectorFiles['cache']): Promise<Finding> {
  const folder = await status(root, cache.path);
  if ('is' in folder) return folder;
  if (!folder.isDirectory()) return { is: 'wrong', reason: `${cache.path} is not a folder` };
  let worst = good;
  for (const { name, bytes } of cache.files) {
    const finding = await lookAtFile(root, `${cache.path}/${name}`, bytes);
    if (finding.is === 'unknown') return finding;
    if (worst.is === 'good' && finding.is !== 'good') worst = { is: 'wrong', reason: finding.reason };
  }
  return worst;
}

async function lookAtFile(root: string, path: string, bytes: number | undefined): Promise<Finding> {
  const found = await status(root, path);
  if ('is' in found) return found;
  if (!found.isFile()) return { is: 'wrong', reason: `${path} is not a regular file` };
  if (bytes !== undefined && found.size !== bytes) {
    return { is: 'wrong', reason: `${path} has ${found.size} bytes instead of ${bytes}` };
  }
  return good;
}

async function status(root: string, path: string): Promise<Stats | Finding> {
  try {
    const found = await quickLstat(`${root}/${path}`);
    return found.isSymbolicLink() ? await linked(root, path) : found;
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT' ? { is: 'missing', reason: `${path} does not exist` } : unseen(path, code);
  }
}

/** The promises of node:fs cost twice as much, and this is called for every file of every sector. */
function quickLstat(path: string): Promise<Stats> {
  return new Promise((resolve, reject) => {
    lstatLater(path, (error, stats) => (error === null ? resolve(stats) : reject(error)));
  });
}

/** "No such file" is said of a link into another store that is not mounted too: the link is there, so nothing is known. */
async function linked(root: string, path: string): Promise<Stats | Finding> {
  try {
    const target = await realpath(join(root, path));
    if (await isInStore(root, target)) return await lstat(target);
    return { is: 'unknown', reason: `${path} is a link out of the store, which is not followed` };
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT'
      ? { is: 'unknown', reason: `${path} is a link to something that is not there` }
      : unseen(path, code);
  }
}

function unseen(path: string, code = 'unknown error'): Finding {
  return { is: 'unknown', reason: `${path} cannot be looked at (${code})` };
}

/** What identifies the store, as far as it can be told without reading files. */
export async function probe(root: string, canaries: readonly string[]): Promise<Probe> {
  try {
    // Of all calls the one that a network file system never answers from memory.
    await statfs(root);
    const { dev, ino } = await stat(root);
    const filled: StoreFolder[] = [];
    for (const folder of storeFolders) if (await holdsAnything(root, folder)) filled.push(folder);
    const found = await Promise.all(canaries.map((path) => status(root, path)));
    return {
      root: `${dev}:${ino}`,
      filled,
      canariesAsked: canaries.length,
      canariesFound: found.filter((one) => !('is' in one)).length,
    };
  } catch (error) {
    return { filled: [], canariesAsked: canaries.length, canariesFound: 0, trouble: errorText(error) };
  }
}

/** @throws the file system's error, where the folder can neither be read nor called absent */
async function holdsAnything(root: string, folder: StoreFolder): Promise<boolean> {
  const path = join(root, folder);
  if ((await lstat(path).catch((error) => errorCode(error))) === 'ENOENT') return false;
  const entries = await opendir(path);
  try {
    return (await entries.read()) !== null;
  } finally {
    await entries.close();
  }
}
