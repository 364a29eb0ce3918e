import { fileURLToPath } from 'node:url';

/** A program of this installation. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));
}
