import { z } from 'zod';

/**
 * A window_post task as the ext-processor line protocol has it; 32-byte values are arrays of numbers. Its fields are checked by
 * the queue, which answers `bad-task`: here a megabyte of numbers only passes through.
 */
export interface WindowPostTask {
  miner_id: number;
  /** Name of the proofs library, `StackedDrgWindow32GiBV1_2`. */
  proof_type: string;
  replicas: { sector_id: number; comm_r: number[]; cache_dir: string; sealed_file: string }[];
  seed: number[];
}

export const windowPostTask = z.custom<WindowPostTask>(
  (value) => typeof value === 'object' && value !== null,
  'must be an object',
);

/** A prover's answer: base64 proofs of 192 bytes for each partition, or the sectors it could not read. */
export const windowPostOutput = z.object({
  proofs: z.array(z.string()),
  faults: z.array(z.number().int().nonnegative()),
  details: z
    .array(z.object({ sector_id: z.number(), class: z.enum(['bad', 'unknown']), reason: z.string() }))
    .optional(),
});
export type WindowPostOutput = z.infer<typeof windowPostOutput>;
