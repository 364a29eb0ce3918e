import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Copy, SectorIndex, StoreShare } from './index/sector-index.ts';
import { SectorSet } from './index/sector-set.ts';
import type { WantedSector } from './sector-check.ts';
import { type StoreFolder, sectorFiles } from './sector-files.ts';
import type { StorePlace } from './store-place.ts';

/** What a checker needs of the index. */
export type SectorPlaces = Pick<SectorIndex, 'locate' | 'shares' | 'add'>;

/** Where one sector should be. */
export interface Known {
  readonly copies: readonly Copy[];
  /** Of the copies, in the order to look; stores that are not configured, or not for this miner, left out. */
  readonly places: readonly StorePlace[];
}

/** A check must not wait for the database: without it, sectors are looked for everywhere. */
const LIMIT_MS = 2_000;
const CANARIES = 4;

/** The index as the checker uses it: a help that may be away, or wrong. */
export class IndexedPlaces {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #index: SectorPlaces | undefined;
  readonly #expected = new WeakMap<StorePlace, Promise<boolean>>();

  constructor(components: { readonly clock: Clock; readonly logger: Logger; readonly index?: SectorPlaces }) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#index = components.index;
  }

  /** For each sector; undefined where there is no index or it does not answer. */
  async locate(
    minerId: number,
    wanted: readonly WantedSector[],
    places: readonly StorePlace[],
  ): Promise<readonly Known[] | undefined> {
    const found = await this.#ask((index) => index.locate(minerId, wanted));
    if (found === undefined) return undefined;
    const byHealth = [...places].sort((left, right) => health(left) - health(right));
    return wanted.map(({ number }) => {
      const copies = found.get(number) ?? [];
      return { copies, places: byHealth.filter(({ store }) => copies.some((copy) => copy.store === store.name)) };
    });
  }

  /** Tells the place which folders, and a few of the sectors of each miner, the index knows to be there, so that it is known from the start what belongs to it. @returns whether it is; it is not where the index does not answer */
  async expectIn(place: StorePlace): Promise<boolean> {
    const expected = this.#expected.get(place) ?? this.#expect(place);
    this.#expected.set(place, expected);
    const isKnown = await expected;
    if (!isKnown) this.#expected.delete(place);
    return isKnown || this.#index === undefined;
  }

  /** Adds to the index, after the check and beside it, what was found where the index has nothing. */
  learn(
    minerId: number,
    seen: readonly {
      readonly sector: WantedSector;
      readonly copies: readonly Copy[];
      readonly found: readonly Copy[];
    }[],
  ): void {
    const news = new Map<string, StoreShare>();
    for (const { sector, copies, found } of seen) {
      for (const { store, hasSealed, hasCache } of found) {
        const known = copies.find((copy) => copy.store === store);
        const isNews = (hasSealed && known?.hasSealed !== true) || (hasCache && known?.hasCache !== true);
        if (!isNews) continue;
        const { upgraded } = sector;
        const share = news.get(`${upgraded} ${store}`) ?? {
          store,
          minerId,
          upgraded,
          sealed: new SectorSet(),
          cache: new SectorSet(),
        };
        news.set(`${upgraded} ${store}`, share);
        if (hasSealed) share.sealed.add(sector.number);
        if (hasCache) share.cache.add(sector.number);
      }
    }
    if (news.size > 0) void this.#ask((index) => index.add([...news.values()]));
  }

  async #expect(place: StorePlace): Promise<boolean> {
    const shares = await this.#ask((index) => index.shares({ store: place.store.name }));
    const folders = new Set<StoreFolder>();
    const paths: string[][] = [];
    for (const { minerId, upgraded, sealed, cache } of shares ?? []) {
      if (sealed.size > 0) folders.add(upgraded ? 'update' : 'sealed');
      if (cache.size > 0) folders.add(upgraded ? 'update-cache' : 'cache');
      spread(sealed).forEach((number, turn) => {
        paths[turn] = [
          ...(paths[turn] ?? []),
          sectorFiles(minerId, number, { upgraded, sectorSize: 2048 }).sealed.path,
        ];
      });
    }
    place.identity.expect({ folders, paths: paths.flat() });
    return shares !== undefined;
  }

  async #ask<T>(question: (index: SectorPlaces) => Promise<T>): Promise<T | undefined> {
    if (this.#index === undefined) return undefined;
    try {
      return await withTimeLimit(this.#clock, LIMIT_MS, 'the sector index', question(this.#index));
    } catch (error) {
      this.#logger.warn({ reason: errorText(error) }, 'sector index is not used');
      return undefined;
    }
  }
}

/** Less is better. */
function health({ trouble, answerMs }: StorePlace): number {
  return trouble === undefined && answerMs !== undefined ? answerMs : Number.MAX_VALUE;
}

/** A few, far apart: whoever removes sectors seldom removes all of these. */
function spread(numbers: SectorSet): number[] {
  const step = Math.max(1, Math.floor(numbers.size / CANARIES));
  const picked: number[] = [];
  let index = 0;
  for (const number of numbers) {
    if (index++ % step === 0 && picked.length < CANARIES) picked.push(number);
    if (picked.length === CANARIES) break;
  }
  return picked;
}
