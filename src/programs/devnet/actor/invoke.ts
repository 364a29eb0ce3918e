import { MinerMethod } from '../../../filecoin/miner-methods.ts';
import type { Account } from '../state/chain-state.ts';
import type { MinerState } from '../state/miner-state.ts';
import { abort, Exit } from './abort.ts';
import { changeWorkerAddress } from './change-worker-address.ts';
import type { ActorContext, ActorResult } from './context.ts';
import { declareFaults } from './declare-faults.ts';
import { declareFaultsRecovered } from './declare-faults-recovered.ts';
import { disputeWindowedPoSt } from './dispute-windowed-post.ts';
import { submitWindowedPoSt } from './submit-windowed-post.ts';

/** Runs a method of the miner actor; rejects with an `actor-abort`. */
export async function invokeMiner(
  context: ActorContext,
  miner: MinerState,
  method: number,
  params: Uint8Array,
  accounts: Iterable<Account>,
): Promise<ActorResult> {
  switch (method) {
    case MinerMethod.SubmitWindowedPoSt:
      return submitWindowedPoSt(context, miner, params);
    case MinerMethod.DeclareFaults:
      return declareFaults(context, miner, params);
    case MinerMethod.DeclareFaultsRecovered:
      return declareFaultsRecovered(context, miner, params);
    case MinerMethod.DisputeWindowedPoSt:
      return disputeWindowedPoSt(context, miner, params);
    case MinerMethod.ChangeWorkerAddress:
      return changeWorkerAddress(context, miner, params, accounts);
    case 0:
      return { miner };
    default:
      throw abort(Exit.unhandledMessage, `this development chain has no method ${method}`);
  }
}
