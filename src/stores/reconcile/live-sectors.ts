import type { Chain } from '../../chain/chain.ts';
import type { Address } from '../../filecoin/address.ts';
import { SectorSet } from '../index/sector-set.ts';

/** What the chain has of a miner. */
export interface Live {
  readonly sectors: SectorSet;
  /** In bytes. */
  readonly sectorSize: number;
}

/** All sectors of a miner that are live at the head. 48 calls, one after the other. */
export async function liveSectors(
  chain: Pick<Chain, 'head' | 'minerInfo' | 'deadlines' | 'partitions'>,
  miner: Address,
): Promise<Live> {
  const { key } = await chain.head();
  const { sectorSize } = await chain.minerInfo(miner, key);
  const deadlines = await chain.deadlines(miner, key);
  const sectors = new SectorSet();
  for (const index of deadlines.keys()) {
    for (const { live } of await chain.partitions(miner, index, key)) for (const number of live) sectors.add(number);
  }
  return { sectors, sectorSize };
}
