import { z } from 'zod';
import { CodedError } from '../errors/coded-error.ts';

const byte = z.number().int().min(0).max(255);
const node = z.array(byte).length(32);

/** A winning_post task as the ext-processor line protocol has it: that of window_post, with another proof type. */
const winningTask = z.object({
  miner_id: z.number().int().nonnegative(),
  proof_type: z.string().regex(/^StackedDrgWinning\w+V1$/, 'is not a winning PoSt proof type'),
  replicas: z
    .array(
      z.object({
        sector_id: z.number().int().nonnegative(),
        comm_r: node,
        cache_dir: z.string(),
        sealed_file: z.string(),
      }),
    )
    .min(1),
  seed: node,
});
export type WinningTask = z.infer<typeof winningTask>;

/** @throws CodedError `bad-task` naming the field */
export function readWinningTask(task: unknown): WinningTask {
  const { data, error } = winningTask.safeParse(task);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new CodedError('bad-task', `${['task', ...(issue?.path ?? [])].join('.')}: ${issue?.message}`);
}

/** A prover's answer: one proof of 192 bytes, base64. */
export const winningOutput = z.object({ proofs: z.array(z.base64()).min(1) });
export type WinningOutput = z.infer<typeof winningOutput>;
