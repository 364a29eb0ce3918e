import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../errors/coded-error.ts';
import type { FoundFile } from './configured-stores.ts';
import { globToRegExp } from './glob.ts';

// The program that looks for sectorstore.json below the globs of its arguments. It may hang with a store at any call.

const FILE = 'sectorstore.json';
/** Some hundred bytes are usual; lists of miners may be long. */
const MAX_BYTES = 65_536;

function tell(found: FoundFile): void {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** Folders that the glob's parts, one a level, lead to. */
async function expand(folder: string, parts: readonly string[]): Promise<void> {
  const [part, ...rest] = parts;
  if (part === undefined) return await look(folder);
  if (!/[*?[\\]/.test(part)) return await expand(join(folder, part), rest);
  const pattern = globToRegExp(part);
  tell({ path: folder, is: 'asked' });
  const names = await readdir(folder).catch(() => []);
  tell({ path: folder, is: 'answered' });
  await Promise.all(names.filter((name) => pattern.test(name)).map((name) => expand(join(folder, name), rest)));
}

async function look(path: string): Promise<void> {
  tell({ path, is: 'asked' });
  try {
    const file = join(path, FILE);
    const { size } = await stat(file);
    const text = size > MAX_BYTES ? undefined : await readFile(file, 'utf8');
    const trouble = `${FILE} has ${size} bytes, and at most ${MAX_BYTES} are read`;
    tell({ path, is: 'answered', ...(text === undefined ? { trouble } : { text }) });
  } catch (error) {
    const code = errorCode(error);
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
    tell({ path, is: 'answered', ...(!isAbsent && { trouble: `${FILE} cannot be read (${code})` }) });
  }
}

process.stdout.on('error', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
await Promise.all(
  process.argv.slice(2).map((glob) =>
    expand(
      '/',
      glob.split('/').filter((part) => part !== ''),
    ),
  ),
);
tell({ path: '', is: 'done' });
