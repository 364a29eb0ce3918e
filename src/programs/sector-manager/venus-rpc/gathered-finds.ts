import { inTurn } from '../../../clock/in-turn.ts';
import type { Copy, SectorIndex } from '../../../stores/index/sector-index.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';

type Located = Promise<ReadonlyMap<number, readonly Copy[]>>;

/**
 * Asks the index once for all that is asked in one turn of the event loop: another manager asks for each sector of a partition by a
 * call of its own, many at once.
 */
export function gatheredFinds(
  index: Pick<SectorIndex, 'locate'>,
): (minerId: number, sector: WantedSector) => Promise<readonly Copy[]> {
  const gathering = new Map<string, { readonly wanted: WantedSector[]; readonly located: Located }>();
  return async (minerId, sector) => {
    const key = `${minerId} ${sector.upgraded}`;
    let group = gathering.get(key);
    if (group === undefined) {
      const wanted: WantedSector[] = [];
      const located = new Promise<void>(inTurn).then(() => {
        gathering.delete(key);
        return index.locate(minerId, wanted);
      });
      group = { wanted, located };
      gathering.set(key, group);
    }
    group.wanted.push(sector);
    return (await group.located).get(sector.number) ?? [];
  };
}
