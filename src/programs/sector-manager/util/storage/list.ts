import { readableTime } from '../../../../cli/readable.ts';
import { textTable } from '../../../../cli/text-table.ts';
import { SectorIndex } from '../../../../stores/index/sector-index.ts';
import type { Verb } from '../verb.ts';
import { indexDatabase } from './index-database.ts';
import { knownStores } from './known-stores.ts';

export const list: Verb = {
  name: 'list',
  about: 'list stores: those of sector-manager.cfg and those of the index. No store is looked at',
  async run(toolbox) {
    const db = await indexDatabase(toolbox);
    const configured = await knownStores(toolbox);
    const rows = await db.kysely.selectFrom('stores').selectAll().orderBy('name').execute();
    const known = new Map(rows.map((row) => [row.name, row]));
    const shares = await new SectorIndex({ db }).shares();
    const names = new Set([...configured.keys(), ...known.keys(), ...shares.map(({ store }) => store)]);
    const stores = [...names].sort().map((name) => {
      const row = known.get(name);
      const own = shares.filter(({ store }) => store === name);
      return {
        name,
        path: configured.get(name)?.path ?? row?.path ?? null,
        isConfigured: configured.has(name),
        sealed: own.reduce((sum, { sealed }) => sum + sealed.size, 0),
        cache: own.reduce((sum, { cache }) => sum + cache.size, 0),
        miners: [...new Set(own.map(({ minerId }) => minerId))].sort((left, right) => left - right),
        attachedAt: row?.attached_at ?? null,
        scannedAt: row?.scanned_at ?? null,
        scanMs: row?.scan_ms ?? null,
      };
    });
    return {
      json: stores,
      text:
        stores.length === 0
          ? 'No Stores'
          : textTable(
              ['name', 'in config', 'sealed', 'cache', 'miners', 'scanned', 'path'],
              stores.map((store) => [
                store.name,
                store.isConfigured ? 'yes' : 'NO',
                store.sealed,
                store.cache,
                store.miners.map((id) => `t0${id}`).join(' ') || '-',
                readableTime(store.scannedAt),
                store.path ?? '-',
              ]),
            ),
    };
  },
};
