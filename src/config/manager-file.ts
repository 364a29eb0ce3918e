import { resolve } from 'node:path';
import type { Endpoint } from './endpoint.ts';
import { type Loaded, loadFile } from './load-file.ts';
import { commonKeys } from './manager-common-keys.ts';
import { minerKeys } from './manager-miner-keys.ts';
import { badConfig } from './read-table.ts';
import { type FileTable, list, section, type Values } from './table.ts';

const fields = {
  common: section('Common', 'What all miners share', commonKeys),
  miners: list('Miners', 'A miner', minerKeys),
} as const;

export const managerFile: FileTable<typeof fields> = {
  name: 'sector-manager.cfg',
  about: 'sector-manager daemon run, in its home folder',
  fields,
  commentDefaults: true,
};

type ManagerValues = Values<typeof fields>;
type StoreValues = ManagerValues['common']['persistStores'][number];
type MinerValues = ManagerValues['miners'][number];

/** A store entry that has its path; `path` is absolute. */
type PersistStoreConfig = StoreValues & { readonly name: string; readonly path: string };
type MinerConfig = MinerValues & { readonly actor: number };

/** The file with its fall-backs resolved and entries without effect left out. */
export interface ManagerConfig {
  readonly common: Omit<ManagerValues['common'], 'api' | 'persistStores'> & {
    /** `chain` is empty where no node is written. */
    readonly api: Omit<ManagerValues['common']['api'], 'chain' | 'gateway'> & {
      readonly chain: readonly Endpoint[];
      readonly gateway: readonly Endpoint[];
    };
    readonly persistStores: readonly PersistStoreConfig[];
  };
  readonly miners: readonly MinerConfig[];
}

/** @throws CodedError as `loadFile`; `bad-config` too for two stores or two miners of one name */
export async function loadManagerConfig(path: string): Promise<Loaded<ManagerConfig>> {
  const { config, warnings, values } = await loadFile(managerFile, path);
  const { common } = config;
  const more = [...warnings];
  const persistStores = usableStores(path, common.persistStores, more);
  const miners = usableMiners(path, config.miners, more);
  const { token } = common.api;
  const withToken = (node: Endpoint): Endpoint => ({ ...(token !== undefined && { token }), ...node });
  const chain = (common.api.chain ?? common.api.gateway.slice(0, 1)).map(withToken);
  const api = { ...common.api, chain, gateway: common.api.gateway.map(withToken) };
  return { config: { common: { ...common, api, persistStores }, miners }, warnings: more, values };
}

function usableStores(file: string, stores: readonly StoreValues[], warnings: string[]): PersistStoreConfig[] {
  const usable: PersistStoreConfig[] = [];
  for (const [index, store] of stores.entries()) {
    const where = `Common.PersistStores[${index}]`;
    if (store.plugin !== undefined) {
      warnings.push(
        `${file}: ${where} is ignored: it needs the plug-in ${store.plugin}, and only folders are supported`,
      );
    } else if (store.path === undefined) {
      warnings.push(`${file}: ${where} is ignored: it has no Path`);
    } else {
      const path = resolve(store.path);
      const name = store.name ?? path;
      if (usable.some((other) => other.name === name))
        throw badConfig(file, `${where}.Name`, `is ${JSON.stringify(name)} a second time; give each store its own`);
      usable.push({ ...store, name, path });
    }
  }
  return usable;
}

function usableMiners(file: string, miners: readonly MinerValues[], warnings: string[]): MinerConfig[] {
  const usable: MinerConfig[] = [];
  for (const [index, miner] of miners.entries()) {
    const where = `Miners[${index}]`;
    const { actor } = miner;
    if (actor === undefined) {
      warnings.push(`${file}: ${where} is ignored: it has no Actor`);
    } else if (usable.some((other) => other.actor === actor)) {
      throw badConfig(file, `${where}.Actor`, `is ${actor} a second time; give each miner one [[Miners]]`);
    } else {
      usable.push({ ...miner, actor });
    }
  }
  return usable;
}
