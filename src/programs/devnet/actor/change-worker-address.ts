import { type Address, formatAddress, sameAddress } from '../../../filecoin/address.ts';
import { address, list, tuple } from '../../../filecoin/codecs.ts';
import type { Account } from '../state/chain-state.ts';
import type { MinerState } from '../state/miner-state.ts';
import { abort, Exit } from './abort.ts';
import { requireCaller } from './callers.ts';
import type { ActorContext, ActorResult } from './context.ts';
import { decodeParams } from './decode-params.ts';

const changeWorkerAddressParams = tuple({ newWorker: address, newControlAddresses: list(address) });

/** Method 3, for control addresses only: a new worker, which takes effect 900 epochs later, is refused. */
export function changeWorkerAddress(
  context: ActorContext,
  miner: MinerState,
  encoded: Uint8Array,
  accounts: Iterable<Account>,
): ActorResult {
  const params = decodeParams(changeWorkerAddressParams, encoded);
  const known = [...accounts];
  const resolve = (wanted: Address): number => {
    const found = known.find(({ id, key }) => sameAddress(key, wanted) || formatAddress(wanted) === `t0${id}`);
    if (found === undefined)
      throw abort(Exit.illegalArgument, `unable to resolve address: ${formatAddress(wanted, 'f')}`);
    return found.id;
  };
  const worker = resolve(params.newWorker);
  const control = params.newControlAddresses.map(resolve);
  requireCaller(context.caller, [miner.owner]);
  if (worker !== miner.worker) throw abort(Exit.illegalArgument, 'this development chain does not change workers');
  return { miner: { ...miner, control } };
}
