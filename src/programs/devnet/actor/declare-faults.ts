import { declareFaultsParams } from '../../../filecoin/miner-params.ts';
import type { MinerState } from '../state/miner-state.ts';
import { operators, requireCaller } from './callers.ts';
import type { ActorContext, ActorResult } from './context.ts';
import { declare } from './declarations.ts';
import { decodeParams } from './decode-params.ts';

/** Method 10. A recovering sector declared faulty again is no longer recovering. */
export function declareFaults(context: ActorContext, miner: MinerState, encoded: Uint8Array): ActorResult {
  const { faults } = decodeParams(declareFaultsParams, encoded);
  requireCaller(context.caller, operators(miner));
  const kind = { name: 'fault', declare: 'declare faults' } as const;
  return {
    miner: declare(miner, context.epoch, faults, kind, (partition, sectors) => ({
      ...partition,
      faulty: partition.faulty.union(sectors),
      recovering: partition.recovering.subtract(sectors),
    })),
  };
}
