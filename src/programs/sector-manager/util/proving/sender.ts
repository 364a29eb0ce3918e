import type { ManagerConfig } from '../../../../config/manager-file.ts';
import { CodedError } from '../../../../errors/coded-error.ts';
import { type Address, formatAddress, idAddress, parseAddress, sameAddress } from '../../../../filecoin/address.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Written } from '../verb.ts';
import type { MinerScope } from './miner-scope.ts';
import { usage } from './usage.ts';

export interface Sender {
  readonly address: Address;
  readonly settings: ManagerConfig['miners'][number]['post'];
}

/** --from, or the Sender of the miner's section. @throws CodedError `usage`, `no-sender`, `wrong-sender` */
export async function senderOf(
  toolbox: Toolbox,
  { chain, minerId, address: miner, head }: MinerScope,
  written: Written,
): Promise<Sender> {
  const settings = (await toolbox.config()).miners.find((one) => one.actor === minerId)?.post;
  const name = formatAddress(idAddress(minerId));
  if (settings === undefined) {
    throw new CodedError(
      'no-miner',
      `sector-manager.cfg has no [[Miners]] with Actor = ${minerId}: its limits are needed`,
    );
  }
  const address = typeof written.options.from === 'string' ? parsed(written.options.from) : settings.senders?.[0];
  if (address === undefined)
    throw new CodedError('no-sender', `say who pays: --from, or [Miners.PoSt] Sender of ${name}`);
  const [info, id] = await Promise.all([chain.minerInfo(miner, head.key), chain.lookupId(address, head.key)]);
  if (![info.owner, info.worker, ...info.controlAddresses].some((allowed) => sameAddress(allowed, id))) {
    throw new CodedError(
      'wrong-sender',
      `${formatAddress(address)} is neither owner, worker nor control address of ${name}, so the chain refuses its messages`,
    );
  }
  return { address, settings };
}

function parsed(text: string): Address {
  try {
    return parseAddress(text);
  } catch {
    throw usage(`--from must be an address, not ${JSON.stringify(text)}`);
  }
}
