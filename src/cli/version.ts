import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Of this installation. Both `dist/cli/` and `src/cli/` lie two folders below the package root. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
