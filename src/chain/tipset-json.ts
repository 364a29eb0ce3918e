import { z } from 'zod';
import { amountJson, cidJson } from './json-values.ts';
import type { HeadChange, TipSet } from './tipset.ts';

export const tipSetJson = z
  .object({
    Cids: z.array(cidJson).min(1),
    Blocks: z.array(z.object({ Timestamp: z.int(), ParentBaseFee: amountJson.optional() })).min(1),
    Height: z.int(),
  })
  .transform(
    ({ Cids, Blocks, Height }): TipSet => ({
      ...(Blocks[0]?.ParentBaseFee !== undefined && { baseFee: Blocks[0].ParentBaseFee }),
      key: Cids.map(String),
      height: Height,
      minTimestamp: Math.min(...Blocks.map((block) => block.Timestamp)),
    }),
  );

/** What a subscription to ChainNotify sends at once: reverts from the top down, then applies. */
export const headChangesJson = z.array(
  z
    .object({ Type: z.enum(['current', 'apply', 'revert']), Val: tipSetJson })
    .transform(({ Type, Val }): HeadChange => ({ type: Type, tipSet: Val })),
);
