import { declareFaultsRecoveredParams } from '../../../filecoin/miner-params.ts';
import type { MinerState } from '../state/miner-state.ts';
import { operators, requireCaller } from './callers.ts';
import type { ActorContext, ActorResult } from './context.ts';
import { declare } from './declarations.ts';
import { decodeParams } from './decode-params.ts';

/** Method 11. Sectors that are not faulty are ignored. */
export function declareFaultsRecovered(context: ActorContext, miner: MinerState, encoded: Uint8Array): ActorResult {
  const { recoveries } = decodeParams(declareFaultsRecoveredParams, encoded);
  requireCaller(context.caller, operators(miner));
  const kind = { name: 'recovery', declare: 'declare recoveries' } as const;
  return {
    miner: declare(miner, context.epoch, recoveries, kind, (partition, sectors) => ({
      ...partition,
      recovering: partition.recovering.union(sectors.intersection(partition.faulty)),
    })),
  };
}
