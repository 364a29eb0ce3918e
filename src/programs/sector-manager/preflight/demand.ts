import type { Chain } from '../../../chain/chain.ts';
import type { TipSet } from '../../../chain/tipset.ts';
import { EPOCH_DURATION_SECONDS, mainnetPolicy } from '../../../filecoin/policy.ts';
import type { MinerSettings } from '../../../poster/components.ts';

/** Partitions that have to be proven between two epochs of each proving period. */
export interface Demand {
  /** Counted from an epoch that is a multiple of the proving period. */
  readonly from: number;
  readonly until: number;
  readonly partitions: number;
}

/** From the proof to its message on the chain. */
const MESSAGE_EPOCHS = 10;

/** What the miner's deadlines ask for; those with nothing to prove are left out. 48 calls, one after the other. */
export async function demandOf(
  chain: Pick<Chain, 'provingDeadline' | 'partitions'>,
  miner: Pick<MinerSettings, 'address' | 'challengeConfidence'>,
  head: Pick<TipSet, 'key'>,
): Promise<Demand[]> {
  const { periodStart } = await chain.provingDeadline(miner.address, head.key);
  const { periodDeadlines, provingPeriod, challengeWindow, challengeLookback } = mainnetPolicy;
  const offset = ((periodStart % provingPeriod) + provingPeriod) % provingPeriod;
  const demand: Demand[] = [];
  for (let index = 0; index < periodDeadlines; index++) {
    const partitions = (await chain.partitions(miner.address, index, head.key)).filter(({ live }) => !live.isEmpty);
    if (partitions.length === 0) continue;
    const open = offset + index * challengeWindow;
    const from = open - challengeLookback + miner.challengeConfidence;
    demand.push({ from, until: open + challengeWindow - MESSAGE_EPOCHS, partitions: partitions.length });
  }
  return demand;
}

/**
 * The fewest GPUs that can end in time: in no stretch of the period may more proving fall due than they do in it. For one miner whose
 * deadlines are far apart this is partitions of the fullest deadline × proof time ÷ usable window, rounded up.
 */
export function gpusNeeded(demand: readonly Demand[], proofMs: number): number {
  const { provingPeriod } = mainnetPolicy;
  const next = demand.map((one) => ({ ...one, from: one.from + provingPeriod, until: one.until + provingPeriod }));
  const byEnd = [...demand, ...next].sort((a, b) => a.until - b.until);
  let needed = 0;
  for (const { from } of demand) {
    let partitions = 0;
    for (const one of byEnd) {
      if (one.from < from || one.until > from + provingPeriod) continue;
      partitions += one.partitions;
      const windowMs = (one.until - from) * EPOCH_DURATION_SECONDS * 1000;
      needed = Math.max(needed, Math.ceil((partitions * proofMs) / windowMs));
    }
  }
  return needed;
}
