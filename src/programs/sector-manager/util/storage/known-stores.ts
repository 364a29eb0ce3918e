import type { PersistStore } from '../../../../stores/persist-store.ts';
import { configuredStores } from '../../../../stores/scan/configured-stores.ts';
import type { Toolbox } from '../toolbox.ts';

/** The stores that the daemon would use, by name. */
export async function knownStores(toolbox: Toolbox): Promise<ReadonlyMap<string, PersistStore>> {
  const { stores } = await configuredStores(toolbox, (await toolbox.config()).common);
  return new Map(stores.map((store) => [store.name, store]));
}
