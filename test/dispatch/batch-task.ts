import type { WindowPostOutput, WindowPostTask } from '../../src/rpc/window-post.ts';

/** A foreign manager's request for these sectors, in this order. Its seed is not masked. */
export function batchTask(sectors: readonly number[]): WindowPostTask {
  return {
    miner_id: 1000,
    proof_type: 'StackedDrgWindow2KiBV1_2',
    replicas: sectors.map((sector) => ({
      sector_id: sector,
      comm_r: Array.from({ length: 32 }, () => sector % 256),
      cache_dir: `/store/cache/s-t01000-${sector}`,
      sealed_file: `/store/sealed/s-t01000-${sector}`,
    })),
    seed: Array.from({ length: 32 }, () => 200),
  };
}

/** The proof of a chunk that begins with this sector, as far as tests go. */
export function proofOf(first: number): Buffer {
  return Buffer.alloc(192, 1).fill(first, 1, 2);
}

export function provenBy(first: number): WindowPostOutput {
  return { proofs: [proofOf(first).toString('base64')], faults: [] };
}

export function faulty(faults: Record<number, 'bad' | 'unknown' | 'not said'>): WindowPostOutput {
  const entries = Object.entries(faults).map(([sector, kind]) => ({ sector: Number(sector), kind }));
  return {
    proofs: [],
    faults: entries.map(({ sector }) => sector),
    details: entries.flatMap(({ sector, kind }) =>
      kind === 'not said' ? [] : [{ sector_id: sector, class: kind, reason: `${kind} indeed` }],
    ),
  };
}
