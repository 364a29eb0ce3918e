import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Programs that operators do not run. */
const LEFT_OUT = ['programs/devnet', 'programs/quickstart'];

/** Messages of `logger.error`, which asks somebody to look. */
async function errorLines(): Promise<string[]> {
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
  const lines = files
    .filter((file) => !LEFT_OUT.some((folder) => file.startsWith(folder)))
    .map(async (file) => {
      const text = await readFile(join('src', file), 'utf8');
      return [...text.matchAll(/logger\.error\([^;]*?'([^']+)'\);/g)].map(([, message = '']) => message);
    });
  return (await Promise.all(lines)).flat();
}

test('docs/operations.md says of every error line what it means', async () => {
  const page = await readFile('docs/operations.md', 'utf8');
  const lines = await errorLines();
  expect(lines.length).toBeGreaterThan(15);
  expect(lines.filter((line) => !page.includes(line))).toEqual([]);
});
