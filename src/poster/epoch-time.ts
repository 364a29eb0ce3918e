import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import type { Clock } from '../clock/clock.ts';

const SAMPLE_EPOCHS = 10;

/**
 * Milliseconds from epoch to epoch: 30 s on mainnet and less on test networks, so it is taken from the chain's own time stamps
 * (seconds).
 */
export async function epochLength(chain: Chain, head: TipSet): Promise<number> {
  const earlier = await chain.tipSetByHeight(Math.max(head.height - SAMPLE_EPOCHS, 0), head.key);
  const epochs = Math.max(head.height - earlier.height, 1);
  return ((head.minTimestamp - earlier.minTimestamp) * 1000) / epochs;
}

/** When an epoch begins, in milliseconds since 1970, by this machine's clock. */
export async function epochTime(clock: Clock, chain: Chain, head: TipSet, epoch: number): Promise<number> {
  return Math.round(clock.now() + (epoch - head.height) * (await epochLength(chain, head)));
}
