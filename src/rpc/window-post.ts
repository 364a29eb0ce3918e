import { z } from 'zod';

export interface Replica {
  readonly sector_id: number;
  /** 32 bytes. */
  readonly comm_r: readonly number[];
  readonly cache_dir: string;
  readonly sealed_file: string;
}

/**
 * A window_post task as the ext-processor line protocol has it; 32-byte values are arrays of numbers. Its fields are checked by
 * the queue, which answers `bad-task`: here a megabyte of numbers only passes through.
 */
export interface WindowPostTask {
  readonly miner_id: number;
  /** Name of the proofs library, `StackedDrgWindow32GiBV1_2`. */
  readonly proof_type: string;
  readonly replicas: readonly Replica[];
  /** 32 bytes. */
  readonly seed: readonly number[];
}

export const windowPostTask = z.custom<WindowPostTask>(
  (value) => typeof value === 'object' && value !== null,
  'must be an object',
);

const sector = z.number().int().nonnegative();

/** A prover's answer: base64 proofs of 192 bytes for each partition, or the sectors it could not read. */
export const windowPostOutput = z.object({
  proofs: z.array(z.base64()),
  faults: z.array(sector),
  details: z
    .array(
      z.object({
        sector_id: sector,
        class: z.enum(['bad', 'unknown']),
        reason: z.string(),
        /** Those of the task, told by the master: of several copies of a sector, which one was read. */
        sealed_file: z.string().optional(),
        cache_dir: z.string().optional(),
      }),
    )
    .optional(),
});
export type WindowPostOutput = z.infer<typeof windowPostOutput>;

const milliseconds = z.number().nonnegative();

/** A prover's answer to a rehearsal: no proofs, and how long reading took, where its version tells that. */
export const rehearsalOutput = windowPostOutput.extend({
  rehearsal: z
    .object({
      /** Reader processes that it shared out over the stores. */
      readers: z.number().int().positive(),
      reading_ms: milliseconds,
      checking_ms: milliseconds,
      /** Sector number and milliseconds. */
      sector_ms: z.array(z.tuple([sector, milliseconds])),
    })
    .optional()
    .catch(undefined),
  /** Name of the slave that read; told by the master. */
  slave: z.string().optional(),
});
export type RehearsalOutput = z.infer<typeof rehearsalOutput>;
