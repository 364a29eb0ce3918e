import type { TaskView } from '../rpc/methods.ts';

/** Whether the task is proven, and by this proof. */
export function isProof({ state, output }: TaskView, proof: Uint8Array): boolean {
  return state === 'proven' && Buffer.from(output?.proofs[0] ?? '', 'base64').equals(proof);
}
