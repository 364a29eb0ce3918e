import type { Chain } from '../../../../chain/chain.ts';
import type { TipSet } from '../../../../chain/tipset.ts';
import { readableDistance } from '../../../../cli/readable.ts';
import { epochLength } from '../../../../poster/epoch-time.ts';

/** Says an epoch beside its distance from the head, `214 (in 30m00s)`. */
export async function epochText(chain: Chain, head: TipSet): Promise<(epoch: number) => string> {
  const epochMs = await epochLength(chain, head);
  return (epoch) =>
    epoch === head.height ? `${epoch} (now)` : `${epoch} (${readableDistance((epoch - head.height) * epochMs, 0)})`;
}
