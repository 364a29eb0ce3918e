import { createHash } from 'node:crypto';

// Twins of those in effects-log.mjs, which children run as they are.

/** Names a proof (base64), whoever made it: no two proofs are the same bytes. */
export function proofName(proof: string): string {
  return digest(Buffer.from(proof, 'base64'));
}

/** The id that a task must have, made here from its canonical text and not by the code under test. */
export function workName(task: object): string {
  return digest(JSON.stringify(task));
}

function digest(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
