import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A file of the checkout; this module runs from bench/dist/bench. */
export function checkout(path: string): string {
  return `${root}${path}`;
}

/** A program of the product, as users start it. */
export function program(name: string): string {
  return checkout(`bin/${name}`);
}

export const benchChild = checkout('bench/dist/bin/bench-child');
export const delayFs = checkout('bench/dist/bin/delay-fs');
export const realProver = checkout('dist/bin/window-post-prover');
export const proverTools = checkout('dist/bin/prover-tools');
/** One process of a system: `role.js producer|consumer SYSTEM PLACE`. */
export const roleScript = fileURLToPath(new URL('role.js', import.meta.url));
export const fakeSlavesScript = fileURLToPath(new URL('fake-slaves.js', import.meta.url));
