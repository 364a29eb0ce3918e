import type { Chain } from '../../chain/chain.ts';
import type { Address } from '../../filecoin/address.ts';
import { SectorSet } from '../index/sector-set.ts';

export interface LiveNumbers {
  readonly sectors: SectorSet;
  /** Of these: their data was replaced by a snap deal, so their files are in update/ and update-cache/. */
  readonly upgraded: SectorSet;
}

/** What the chain has of a miner. */
export interface Live extends LiveNumbers {
  /** In bytes. */
  readonly sectorSize: number;
}

/** Those of which the files of this kind are wanted: whatever else lies there, the chain says which they are. */
export function wantedOf({ sectors, upgraded }: LiveNumbers, isUpgraded: boolean): SectorSet {
  return isUpgraded ? sectors.intersection(upgraded) : sectors.subtract(upgraded);
}

/** All sectors of a miner that are live at the head. 48 calls, and one for each partition, one after the other. */
export async function liveSectors(
  chain: Pick<Chain, 'head' | 'minerInfo' | 'deadlines' | 'partitions' | 'sectors'>,
  miner: Address,
): Promise<Live> {
  const { key } = await chain.head();
  const { sectorSize } = await chain.minerInfo(miner, key);
  const deadlines = await chain.deadlines(miner, key);
  const [sectors, upgraded] = [new SectorSet(), new SectorSet()];
  for (const index of deadlines.keys()) {
    for (const { live } of await chain.partitions(miner, index, key)) {
      if (live.isEmpty) continue;
      for (const number of live) sectors.add(number);
      for (const { number, sectorKeyCid } of await chain.sectors(miner, live, key)) {
        if (sectorKeyCid !== null) upgraded.add(number);
      }
    }
  }
  return { sectors, upgraded, sectorSize };
}
