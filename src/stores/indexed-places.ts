import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { expectationOf } from './expectation.ts';
import type { Copy, SectorIndex, StoreShare } from './index/sector-index.ts';
import { SectorSet } from './index/sector-set.ts';
import type { WantedSector } from './sector-check.ts';
import type { StorePlace } from './store-place.ts';

/** What a checker needs of the index. */
export type SectorPlaces = Pick<SectorIndex, 'locate' | 'shares' | 'add' | 'wasScanned'>;

/** Where one sector should be. */
export interface Known {
  readonly copies: readonly Copy[];
  /** Of the copies, in the order to look; stores that are not configured, or not for this miner, left out. */
  readonly places: readonly StorePlace[];
}

/**
 * Why a store that is itself says nothing by what it lacks: the index does not answer, so that nobody knows what belongs there; or the
 * store was never scanned to its end, and what is there may be a part of it.
 */
export type IndexDoubt = 'no-index' | 'never-attached';

/** A check must not wait for the database: without it, sectors are looked for everywhere. */
const LIMIT_MS = 2_000;
/** In which a store that is not itself any more is known by what the index says now. */
const REFRESH_MS = 60_000;

/** The index as the checker uses it: a help that may be away, or wrong. */
export class IndexedPlaces {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #index: SectorPlaces | undefined;
  readonly #asked = new WeakMap<StorePlace, { readonly at: number; readonly doubt: Promise<IndexDoubt | undefined> }>();

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

  /** Tells the place what the index knows to be there, so that it is known from the start what belongs to it. */
  async expectIn(place: StorePlace): Promise<IndexDoubt | undefined> {
    const doubt = await this.#asked.get(place)?.doubt;
    // A place of which no sector is known may have got some since.
    const isKnown = this.#asked.has(place) && place.identity.canaries.length > 0;
    return isKnown && doubt === undefined ? undefined : await this.expectAnew(place);
  }

  /** The index may have been brought up to date. */
  expectAnew(place: StorePlace): Promise<IndexDoubt | undefined> {
    const doubt = this.#expect(place);
    this.#asked.set(place, { at: this.#clock.monotonic(), doubt });
    return doubt;
  }

  /** As `expectAnew`, once a minute: a place is in trouble, perhaps since sectors were removed on purpose. */
  refresh(place: StorePlace): void {
    const { at = 0 } = this.#asked.get(place) ?? {};
    if (this.#clock.monotonic() - at >= REFRESH_MS) void this.expectAnew(place);
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

  async #expect(place: StorePlace): Promise<IndexDoubt | undefined> {
    if (this.#index === undefined) return undefined;
    const { name } = place.store;
    const found = await this.#ask((index) => Promise.all([index.shares({ store: name }), index.wasScanned(name)]));
    if (found === undefined) return 'no-index';
    const [shares, isWhole] = found;
    place.identity.expect(expectationOf(shares));
    return isWhole ? undefined : 'never-attached';
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
