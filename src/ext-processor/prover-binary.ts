import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NAME = 'window-post-prover';

/**
 * The prover to start: the environment's WDPOST_PROVER, else the one built beside the compiled programs, else whatever PATH has.
 * Both `dist/ext-processor/` and `src/ext-processor/` lie two folders below the package root.
 */
export function proverBinary(env: NodeJS.ProcessEnv = process.env): string {
  if (env.WDPOST_PROVER) return env.WDPOST_PROVER;
  const built = fileURLToPath(new URL(`../../dist/bin/${NAME}`, import.meta.url));
  return existsSync(built) ? built : NAME;
}
