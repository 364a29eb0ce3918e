import type { Chain } from '../../../../chain/chain.ts';
import type { TipSet } from '../../../../chain/tipset.ts';
import { minerId as minerIdKind } from '../../../../config/kinds.ts';
import { type Address, formatAddress, idAddress } from '../../../../filecoin/address.ts';
import type { DeadlineInfo } from '../../../../filecoin/deadline.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Written } from '../verb.ts';
import { usage } from './usage.ts';

/** The miner of a command, at the chain's present head. */
export interface MinerScope {
  readonly chain: Chain;
  readonly minerId: number;
  readonly address: Address;
  readonly head: TipSet;
  /** The open deadline. */
  readonly current: DeadlineInfo;
}

/** @throws CodedError as `chosenMiner`, and those of the chain */
export async function minerScope(toolbox: Toolbox, written: Written): Promise<MinerScope> {
  const minerId = await chosenMiner(toolbox, written.options.miner);
  const address = idAddress(minerId);
  const chain = await toolbox.chain();
  const head = await chain.head();
  const current = await chain.provingDeadline(address, head.key);
  return { chain, minerId, address, head, current };
}

/** @throws CodedError `usage` where --miner is wrong, or absent while there are several miners */
export async function chosenMiner(toolbox: Toolbox, text: unknown): Promise<number> {
  if (typeof text === 'string') {
    const id = minerIdKind.read(/^\d+$/.test(text) ? Number(text) : text);
    if (id === undefined) throw usage(`--miner must be a miner's number such as t01000, not ${JSON.stringify(text)}`);
    return id;
  }
  const miners = (await toolbox.config()).miners.map((miner) => miner.actor);
  const [only, ...others] = miners;
  if (only === undefined) throw usage('say which miner: --miner t01000 (sector-manager.cfg has no [[Miners]])');
  if (others.length > 0) {
    throw usage(`say which miner: --miner ${miners.map((id) => formatAddress(idAddress(id))).join(' or --miner ')}`);
  }
  return only;
}
