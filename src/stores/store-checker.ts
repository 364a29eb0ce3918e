import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Look, Probe } from './check-messages.ts';
import { judge, type StoreLook } from './judge.ts';
import { type PersistStore, storeAllows } from './persist-store.ts';
import type { SectorCheck, WantedSector } from './sector-check.ts';
import { type SectorFiles, sectorFiles } from './sector-files.ts';
import { StoreIdentity } from './store-identity.ts';
import { StoreWatch } from './store-watch.ts';

export interface StoreCheckerInit {
  readonly stores: readonly PersistStore[];
  /** A store that answers nothing for this long counts as hung. Default 5 s. */
  readonly sectorTimeoutMs?: number;
}

export interface CheckInit {
  readonly minerId: number;
  /** In bytes. */
  readonly sectorSize: number;
  readonly sectors: readonly WantedSector[];
  readonly signal?: AbortSignal;
}

interface Place {
  readonly watch: StoreWatch;
  readonly identity: StoreIdentity;
}

interface Sector {
  readonly number: number;
  /** Of this miner and number, in `#lastPlace`. */
  readonly key: string;
  readonly files: SectorFiles;
}

interface Found {
  readonly place: Place;
  readonly look: Look;
}

const DEFAULT_SECTOR_TIMEOUT_MS = 5_000;

/**
 * Says of sectors whether all their files are there. Every access to a store happens in a process of that store's own, so that a
 * hung store costs its own sectors only and never this process' threads.
 */
export class StoreChecker {
  readonly #logger: Logger;
  readonly #places: readonly Place[];
  /** Where a sector was last found, to be asked first. */
  readonly #lastPlace = new Map<string, Place>();
  readonly #troubles = new Map<Place, string>();

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: StoreCheckerInit) {
    const timeoutMs = init.sectorTimeoutMs ?? DEFAULT_SECTOR_TIMEOUT_MS;
    this.#logger = components.logger;
    this.#places = init.stores.map((store) => ({
      watch: new StoreWatch(components, { store, timeoutMs }),
      identity: new StoreIdentity(),
    }));
  }

  /**
   * One verdict for each sector, in the order asked. A store that fails makes sectors `unknown`, never an error; rejects only with
   * the signal's reason, or `bad-sector-size`.
   */
  async check(init: CheckInit): Promise<SectorCheck[]> {
    const { minerId, sectorSize, signal } = init;
    const places = this.#places.filter(({ watch }) => storeAllows(watch.store, minerId));
    if (places.length === 0) {
      const reason = `no store is configured for miner ${minerId}`;
      return init.sectors.map(({ number }) => ({ number, verdict: 'unknown', reason }));
    }
    signal?.throwIfAborted();
    const before = new Map(places.map((place) => [place, place.watch.probe(place.identity.canaries)]));
    const sectors = init.sectors.map(
      ({ number, upgraded }): Sector => ({
        number,
        key: `${minerId}/${number}`,
        files: sectorFiles(minerId, number, { upgraded, sectorSize }),
      }),
    );
    const first = await Promise.all(sectors.map((sector) => this.#lookAround(places, sector, signal)));
    signal?.throwIfAborted();
    if (first.every(isComplete))
      return sectors.map(({ number, files }, index) => judge(number, files, (first[index] ?? []).map(trusted)));

    const second = await Promise.all(
      sectors.map((sector, index) => {
        const found = first[index] ?? [];
        return isComplete(found) || hasUnknown(found) ? found : this.#lookAround(places, sector, signal);
      }),
    );
    const troubles = await this.#troublesSince(places, before);
    signal?.throwIfAborted();
    return sectors.map(({ number, files }, index) => {
      const looks = (second[index] ?? []).map((one) => ({ ...trusted(one), ...troubleOf(troubles.get(one.place)) }));
      return judge(number, files, looks);
    });
  }

  /** Names of the stores that could not be trusted when they were looked at last. */
  get troubled(): readonly string[] {
    return [...this.#troubles.keys()].map(({ watch }) => watch.store.name);
  }

  /** Kills the processes. Checks under way answer `unknown`. */
  close(): void {
    for (const { watch } of this.#places) watch.close();
  }

  /** Asks the store where the sector was last, then, unless all is there, the others until all was found. */
  async #lookAround(
    places: readonly Place[],
    { key, files }: Sector,
    signal: AbortSignal | undefined,
  ): Promise<Found[]> {
    const found: Found[] = [];
    const lookIn = async (place: Place) => {
      const look = await place.watch.look(files, () => signal?.aborted !== true && !isComplete(found));
      found.push({ place, look });
    };
    const last = this.#lastPlace.get(key);
    if (last !== undefined && places.includes(last)) await lookIn(last);
    const others = places.filter((place) => place !== last);
    if (!isComplete(found)) {
      await new Promise<void>((resolve) => {
        let left = others.length;
        if (left === 0) resolve();
        for (const place of others) {
          void lookIn(place).then(() => {
            left--;
            if (left === 0 || isComplete(found)) resolve();
          });
        }
      });
    }
    const sealed = found.find(({ look }) => look.sealed.is === 'good');
    if (isComplete(found) && sealed !== undefined) {
      this.#lastPlace.set(key, sealed.place);
      sealed.place.identity.sawGood(files.sealed.path);
    }
    return [...found];
  }

  /** Why a store's "it is not there" does not count, for those where it does not. */
  async #troublesSince(
    places: readonly Place[],
    before: ReadonlyMap<Place, Promise<Probe>>,
  ): Promise<Map<Place, string>> {
    const troubles = new Map<Place, string>();
    await Promise.all(
      places.map(async (place) => {
        const { watch, identity } = place;
        const after = await watch.probe(identity.canaries);
        const trouble = identity.trouble((await before.get(place)) ?? after, after);
        this.#tell(place, trouble);
        if (trouble !== undefined) troubles.set(place, trouble);
      }),
    );
    return troubles;
  }

  /** One line when a store stops or starts to be itself. */
  #tell(place: Place, trouble: string | undefined): void {
    if (this.#troubles.get(place) === trouble) return;
    const store = place.watch.store.name;
    if (trouble === undefined) {
      this.#troubles.delete(place);
      this.#logger.info({ store }, 'store is usable again');
    } else {
      this.#troubles.set(place, trouble);
      this.#logger.warn({ store, trouble }, 'store cannot be trusted');
    }
  }
}

function isComplete(found: readonly Found[]): boolean {
  return found.some(({ look }) => look.sealed.is === 'good') && found.some(({ look }) => look.cache.is === 'good');
}

function hasUnknown(found: readonly Found[]): boolean {
  return found.some(({ look }) => look.sealed.is === 'unknown' || look.cache.is === 'unknown');
}

function trusted({ place, look }: Found): StoreLook {
  return { store: place.watch.store, look, hasFolder: (folder) => place.identity.hasFolder(folder) };
}

function troubleOf(trouble: string | undefined): { readonly trouble?: string } {
  return trouble === undefined ? {} : { trouble };
}
