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
export type SectorPlaces = Pick<SectorIndex, 'locate' | 'shares' | 'add' | 'scannedStores'> & {
  /** In which `locate` answers whatever happens, where that is longer than a check waits for the database. */
  readonly limitMs?: number;
};

/** Where one sector should be. */
export interface Known {
  readonly copies: readonly Copy[];
  /** Of the copies, in the order to look; stores that are not configured, or not for this miner, left out. */
  readonly places: readonly StorePlace[];
}

/** What the index said of the sectors of a check. */
interface Located {
  /** For each sector. */
  readonly known: readonly Known[];
  /** Names of the stores that were scanned to their end. */
  readonly scanned: ReadonlySet<string>;
}

/**
 * Why a store that is itself says nothing by what it lacks: the index does not answer, so that nobody knows what belongs there; or the
 * store was never scanned to its end, and what is there may be a part of it.
 */
export type IndexDoubt = 'no-index' | 'never-attached';

/** A check must not wait for the database: without it, sectors are looked for everywhere. */
const LIMIT_MS = 2_000;
/** After which a store is known by what the index says now: where it is not itself any more, and where it is. */
const REFRESH_TROUBLED_MS = 60_000;
const REFRESH_MS = 3_600_000;

/** The index as the checker uses it: a help that may be away, or wrong. */
export class IndexedPlaces {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #index: SectorPlaces | undefined;
  readonly #asked = new WeakMap<StorePlace, { readonly at: number; readonly isAnswered: Promise<boolean> }>();

  constructor(components: { readonly clock: Clock; readonly logger: Logger; readonly index?: SectorPlaces }) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#index = components.index;
  }

  /** Undefined where there is no index or it does not answer. */
  async locate(
    minerId: number,
    wanted: readonly WantedSector[],
    places: readonly StorePlace[],
  ): Promise<Located | undefined> {
    const [found, scanned] = await Promise.all([
      this.#ask((index) => index.locate(minerId, wanted), this.#index?.limitMs),
      this.#ask((index) => index.scannedStores()),
    ]);
    if (found === undefined || scanned === undefined) return undefined;
    const byHealth = [...places].sort((left, right) => health(left) - health(right));
    const known = wanted.map(({ number }) => {
      const copies = found.get(number) ?? [];
      return { copies, places: byHealth.filter(({ store }) => copies.some((copy) => copy.store === store.name)) };
    });
    return { known, scanned };
  }

  /**
   * Why the place says nothing by what it lacks. Also tells it what the index knows to be there, where it was not told yet.
   * @param located what the index said in this check: that it answered before does not count
   */
  async doubtIn(place: StorePlace, located: Located | undefined): Promise<IndexDoubt | undefined> {
    if (this.#index === undefined) return undefined;
    if (located === undefined || !(await this.#expectIn(place))) return 'no-index';
    return located.scanned.has(place.store.name) ? undefined : 'never-attached';
  }

  /** Tells the place what the index knows now to be there. Returns false where the index does not answer. */
  expectAnew(place: StorePlace): Promise<boolean> {
    const isAnswered = this.#expect(place);
    this.#asked.set(place, { at: this.#clock.monotonic(), isAnswered });
    return isAnswered;
  }

  /** As `expectAnew`, from time to time; soon where the place is in trouble, perhaps since sectors were removed on purpose. */
  refresh(place: StorePlace): void {
    const { at = 0 } = this.#asked.get(place) ?? {};
    const afterMs = place.trouble === undefined ? REFRESH_MS : REFRESH_TROUBLED_MS;
    if (this.#clock.monotonic() - at >= afterMs) void this.expectAnew(place);
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

  async #expectIn(place: StorePlace): Promise<boolean> {
    // A place of which no sector is known may have got some since.
    const isKnown = (await this.#asked.get(place)?.isAnswered) === true && place.identity.canaries.length > 0;
    return isKnown || (await this.expectAnew(place));
  }

  async #expect(place: StorePlace): Promise<boolean> {
    if (this.#index === undefined) return true;
    const shares = await this.#ask((index) => index.shares({ store: place.store.name }));
    if (shares === undefined) return false;
    place.identity.expect(expectationOf(shares));
    return true;
  }

  async #ask<T>(question: (index: SectorPlaces) => Promise<T>, limitMs = LIMIT_MS): Promise<T | undefined> {
    if (this.#index === undefined) return undefined;
    try {
      return await withTimeLimit(this.#clock, limitMs, 'the sector index', question(this.#index));
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
