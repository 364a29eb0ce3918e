import { lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Finding, Look, Probe } from './check-messages.ts';
import { type SectorFiles, type StoreFolder, storeFolders } from './sector-files.ts';

// Runs in check processes only: every call here may hang with its store. Files are never opened, so a FIFO cannot block either.

const good: Finding = { is: 'good', reason: '' };

export async function lookAtSector(root: string, { sealed, cache }: SectorFiles): Promise<Look> {
  const [sealedFinding, cacheFinding] = await Promise.all([
    lookAtFile(root, sealed.path, sealed.bytes),
    lookAtCache(root, cache),
  ]);
  return { sealed: sealedFinding, cache: cacheFinding };
}

async function lookAtCache(root: string, cache: SectorFiles['cache']): Promise<Finding> {
  const folder = await status(root, cache.path);
  if ('is' in folder) return folder;
  if (!folder.isDirectory()) return { is: 'wrong', reason: `${cache.path} is not a folder` };
  const findings = await Promise.all(
    cache.files.map(({ name, bytes }) => lookAtFile(root, `${cache.path}/${name}`, bytes)),
  );
  const unknown = findings.find(({ is }) => is === 'unknown');
  const notGood = unknown ?? findings.find(({ is }) => is !== 'good');
  return notGood?.is === 'missing' ? { is: 'wrong', reason: notGood.reason } : (notGood ?? good);
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

async function status(root: string, path: string) {
  try {
    return await stat(join(root, path));
  } catch (error) {
    return await absence(root, path, errorCode(error) ?? 'unknown error');
  }
}

/** "No such file" is said of a link into another store that is not mounted too: the link is there, so nothing is known. */
async function absence(root: string, path: string, code: string): Promise<Finding> {
  if (code !== 'ENOENT') return { is: 'unknown', reason: `${path} cannot be looked at (${code})` };
  try {
    await lstat(join(root, path));
    return { is: 'unknown', reason: `${path} is a link to something that is not there` };
  } catch (error) {
    const still = errorCode(error);
    return still === 'ENOENT'
      ? { is: 'missing', reason: `${path} does not exist` }
      : { is: 'unknown', reason: `${path} cannot be looked at (${still})` };
  }
}

/** What identifies the store, as far as it can be told without reading files. */
export async function probe(root: string, canaries: readonly string[]): Promise<Probe> {
  try {
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
  const found = await status(root, folder);
  if ('is' in found && found.is === 'missing') return false;
  const entries = await opendir(join(root, folder));
  try {
    return (await entries.read()) !== null;
  } finally {
    await entries.close();
  }
}
