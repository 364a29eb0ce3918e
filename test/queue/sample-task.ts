import type { WindowPostTask } from '../../src/rpc/window-post.ts';

/** A task of its own for each number. */
export function sampleTask(number: number, replicas = 2): WindowPostTask {
  return {
    miner_id: 1000 + (number % 3),
    proof_type: 'StackedDrgWindow2KiBV1_2',
    replicas: Array.from({ length: replicas }, (_, index) => ({
      sector_id: number * 10 + index,
      comm_r: Array.from({ length: 32 }, () => index),
      cache_dir: `/store/cache/s-t01000-${index}`,
      sealed_file: `/store/sealed/s-t01000-${index}`,
    })),
    seed: Array.from({ length: 32 }, () => 7),
  };
}

export const SAMPLE_PROOF = { proofs: [Buffer.alloc(192, 1).toString('base64')], faults: [] };
export const SAMPLE_FAULTS = {
  proofs: [],
  faults: [1],
  details: [{ sector_id: 1, class: 'unknown' as const, reason: 'EIO' }],
};
