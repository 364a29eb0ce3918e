import type { Chain } from '../../../../chain/chain.ts';
import type { Clock } from '../../../../clock/clock.ts';
import { idAddress } from '../../../../filecoin/address.ts';
import type { Copy, SectorIndex, StoreShare } from '../../../../stores/index/sector-index.ts';
import { SectorSet } from '../../../../stores/index/sector-set.ts';
import type { WantedSector } from '../../../../stores/sector-check.ts';
import { IndexerClient } from '../../venus-rpc/indexer-client.ts';

export interface Imported {
  readonly minerId: number;
  /** Sectors that the chain has. */
  readonly sectors: number;
  /** Of these the old index knows. */
  readonly found: number;
  /** Store names of the old index that are not configured here, with how many sectors each has; these are left out. */
  readonly unknownStores: Readonly<Record<string, number>>;
}

/** Takes over what the index of a running manager says of every sector that a miner has on chain. */
export async function importIndex(
  components: { readonly clock: Clock; readonly chain: Chain; readonly index: SectorIndex },
  init: {
    readonly address: string;
    readonly minerId: number;
    readonly stores: ReadonlySet<string>;
    readonly onProgress: (asked: number, of: number) => void;
  },
): Promise<Imported> {
  const { chain, index } = components;
  const { minerId, stores } = init;
  const sectors = await chain.sectors(idAddress(minerId), null, (await chain.head()).key);
  const client = new IndexerClient(components, { address: init.address, token: process.env.WDPOST_TOKEN });
  const shares = new Map<string, StoreShare>();
  const unknownStores: Record<string, number> = {};
  let asked = 0;
  let found = 0;
  for (const upgraded of [false, true]) {
    const wanted: WantedSector[] = sectors
      .filter(({ sectorKeyCid }) => (sectorKeyCid !== null) === upgraded)
      .map(({ number }) => ({ number, upgraded }));
    const onAnswer = ({ number }: WantedSector, copies: readonly Copy[]): void => {
      init.onProgress(++asked, sectors.length);
      if (copies.length > 0) found++;
      for (const { store, hasSealed, hasCache } of copies) {
        if (!stores.has(store)) {
          unknownStores[store] = (unknownStores[store] ?? 0) + 1;
          continue;
        }
        const key = `${upgraded} ${store}`;
        const share = shares.get(key) ?? { store, minerId, upgraded, sealed: new SectorSet(), cache: new SectorSet() };
        shares.set(key, share);
        if (hasSealed) share.sealed.add(number);
        if (hasCache) share.cache.add(number);
      }
    };
    await client.locate(minerId, wanted, { onAnswer });
  }
  await index.add([...shares.values()]);
  return { minerId, sectors: sectors.length, found, unknownStores };
}
