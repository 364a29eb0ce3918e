import { EPOCH_DURATION_SECONDS } from '../filecoin/policy.ts';

/** From a proof in a foreign manager's hands to its message on the chain. */
const MESSAGE_EPOCHS = 10;
/** It asks again so long after it was told of faults. */
const ASKS_AGAIN_MS = 5_000;

/**
 * How long before Close sectors that cannot be read must be given up, so that what is left can still be asked for again, proven
 * and sent. Milliseconds.
 */
export function batchReserveMs(facts: {
  /** Chunks still to prove once those sectors are left out. */
  readonly proofs: number;
  /** What can be proven at the same time. */
  readonly slots: number;
  /** A proof that takes long (p99), its reads included. */
  readonly proofMs: number;
}): number {
  const rounds = Math.ceil(facts.proofs / Math.max(1, facts.slots));
  return MESSAGE_EPOCHS * EPOCH_DURATION_SECONDS * 1000 + ASKS_AGAIN_MS + rounds * facts.proofMs;
}
