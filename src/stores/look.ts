import { lstat as lstatLater, type Stats } from 'node:fs';
import { lstat, opendir, realpath, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Finding, Look, Probe } from './check-messages.ts';
import { type SectorFiles, type StoreFolder, storeFolders } from './sector-files.ts';
import { isInStore, type StoreArea } from './store-area.ts';

// Runs in check processes only: every call here may hang with its store. Files are never opened, so a FIFO cannot block either.

const good: Finding = { is: 'good', reason: '' };

/** File after file: how much is asked of the store at once is for the asker to say, by how many sectors it asks for. */
export async function lookAtSector(area: StoreArea, { sealed, cache }: SectorFiles): Promise<Look> {
  const sealedFinding = await lookAtFile(area, sealed.path, sealed.bytes);
  return { sealed: sealedFinding, cache: await lookAtCache(area, cache) };
}

async function lookAtCache(area: StoreArea, cache: SectorFiles['cache']): Promise<Finding> {
  const folder = await status(area, cache.path);
  if ('is' in folder) return folder;
  if (!folder.isDirectory()) return { is: 'wrong', reason: `${cache.path} is not a folder` };
  let worst = good;
  for (const { name, bytes } of cache.files) {
    const finding = await lookAtFile(area, `${cache.path}/${name}`, bytes);
    if (finding.is === 'unknown') return finding;
    if (worst.is === 'good' && finding.is !== 'good') worst = { is: 'wrong', reason: finding.reason };
  }
  return worst;
}

async function lookAtFile(area: StoreArea, path: string, bytes: number | undefined): Promise<Finding> {
  const found = await status(area, path);
  if ('is' in found) return found;
  if (!found.isFile()) return { is: 'wrong', reason: `${path} is not a regular file` };
  if (bytes !== undefined && found.size !== bytes) {
    return { is: 'wrong', reason: `${path} has ${found.size} bytes instead of ${bytes}` };
  }
  return good;
}

async function status(area: StoreArea, path: string): Promise<Stats | Finding> {
  try {
    const found = await quickLstat(area, path);
    return found.isSymbolicLink() ? await linked(area, path) : found;
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT' ? { is: 'missing', reason: `${path} does not exist` } : unseen(path, code);
  }
}

/** The promises of node:fs cost twice as much, and this is called for every file of every sector. */
function quickLstat({ root, onCall }: StoreArea, path: string): Promise<Stats> {
  return new Promise((resolve, reject) => {
    lstatLater(`${root}/${path}`, (error, stats) => {
      onCall();
      if (error === null) resolve(stats);
      else reject(error);
    });
  });
}

/** "No such file" is said of a link into another store that is not mounted too: the link is there, so nothing is known. */
async function linked(area: StoreArea, path: string): Promise<Stats | Finding> {
  const { root, onCall } = area;
  try {
    const target = await realpath(join(root, path)).finally(onCall);
    if (await isInStore(area, target)) return await lstat(target).finally(onCall);
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
export async function probe(area: StoreArea, canaries: readonly string[]): Promise<Probe> {
  const { root, onCall } = area;
  try {
    // Of all calls the one that a network file system never answers from memory.
    await statfs(root).finally(onCall);
    const { dev, ino } = await stat(root).finally(onCall);
    const filled: StoreFolder[] = [];
    for (const folder of storeFolders) if (await holdsAnything(area, folder)) filled.push(folder);
    const found = await Promise.all(canaries.map((path) => status(area, path)));
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
async function holdsAnything({ root, onCall }: StoreArea, folder: StoreFolder): Promise<boolean> {
  const path = join(root, folder);
  if ((await lstat(path).catch(errorCode).finally(onCall)) === 'ENOENT') return false;
  const entries = await opendir(path).finally(onCall);
  try {
    return (await entries.read().finally(onCall)) !== null;
  } finally {
    await entries.close();
  }
}
