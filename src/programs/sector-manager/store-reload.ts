import { isDeepStrictEqual } from 'node:util';
import { loadManagerConfig, type ManagerConfig } from '../../config/manager-file.ts';
import { CodedError, errorText } from '../../errors/coded-error.ts';
import type { PersistStore } from '../../stores/persist-store.ts';
import type { StoreChecker } from '../../stores/store-checker.ts';
import type { Logger } from '../../telemetry/logger.ts';

interface Components {
  readonly logger: Logger;
  readonly checker: Pick<StoreChecker, 'stores' | 'reload'>;
}

interface StoreReloadInit {
  /** sector-manager.cfg. */
  readonly file: string;
  /** What the daemon started with. */
  readonly config: ManagerConfig;
  /** `warnings`: of stores that are left out since they cannot be read now. */
  readonly storesOf: (
    config: ManagerConfig,
    known: readonly PersistStore[],
  ) => Promise<{ readonly stores: readonly PersistStore[]; readonly warnings: readonly string[] }>;
}

/** Takes the stores of the file as it is now. A file that is no good changes nothing. */
export class StoreReload {
  readonly #components: Components;
  readonly #init: StoreReloadInit;
  #running: Promise<void> = Promise.resolve();
  /** The file as it was taken last. */
  #written: ManagerConfig;

  constructor(components: Components, init: StoreReloadInit) {
    this.#components = components;
    this.#init = init;
    this.#written = init.config;
  }

  /** Never rejects; reloads follow one another. */
  run(): Promise<void> {
    this.#running = this.#running.then(() => this.#reload());
    return this.#running;
  }

  async #reload(): Promise<void> {
    const { logger, checker } = this.#components;
    const { file } = this.#init;
    try {
      const { config, warnings } = await loadManagerConfig(file);
      const found = await this.#init.storesOf(config, checker.stores);
      const named = new Set(found.stores.map(({ name }) => name));
      const written = new Set(this.#written.common.persistStores.map(({ name }) => name));
      // A store that the globs led to and that is not mounted now: without it a sector that is nowhere else would be bad.
      const kept = checker.stores.filter(
        ({ name }) => !named.has(name) && (found.warnings.length > 0 || !written.has(name)),
      );
      for (const { name, path } of kept) {
        logger.warn({ store: name, path }, 'store is not found now, it is kept until the next start');
      }
      this.#written = config;
      const stores = [...found.stores, ...kept];
      if (stores.length === 0 && checker.stores.length > 0) {
        throw new CodedError('no-stores', `${file} names no store any more; to run without any, restart`);
      }
      for (const warning of [...warnings, ...found.warnings]) logger.warn(warning);
      const before = new Map(checker.stores.map((store) => [store.name, store]));
      const names = new Set(stores.map(({ name }) => name));
      const added = stores.filter(({ name }) => !before.has(name));
      const changed = stores.filter(
        (store) => before.has(store.name) && !isDeepStrictEqual(before.get(store.name), store),
      );
      const removed = [...before.keys()].filter((name) => !names.has(name));
      checker.reload(stores);
      logger.info({ added: added.map(nameOf), changed: changed.map(nameOf), removed }, 'stores reloaded');
      if (!isDeepStrictEqual(withoutStores(config), withoutStores(this.#init.config))) {
        logger.warn({ file }, 'only the stores were reloaded; restart for the other changes of the file');
      }
    } catch (error) {
      logger.error({ file, reason: errorText(error) }, 'reload refused, the stores stay as they were');
    }
  }
}

const nameOf = ({ name }: PersistStore) => name;

function withoutStores({ common, ...rest }: ManagerConfig) {
  return { ...rest, common: { ...common, persistStores: [], scanPersistStores: [] } };
}
