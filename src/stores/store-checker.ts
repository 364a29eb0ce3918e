import type { Clock } from '../clock/clock.ts';
import { inTurn } from '../clock/in-turn.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { bestCopy } from './best-copy.ts';
import type { Look, SectorName } from './check-messages.ts';
import { expectationOf } from './expectation.ts';
import type { StoreShare } from './index/sector-index.ts';
import { type IndexDoubt, IndexedPlaces, type Known, type SectorPlaces } from './indexed-places.ts';
import { judge, type StoreLook } from './judge.ts';
import { type PersistStore, storeAllows } from './persist-store.ts';
import type { SectorCheck, SectorCopy, WantedSector } from './sector-check.ts';
import { IN_EACH_CACHE, type SectorFiles, type StoreFolder, sectorFiles } from './sector-files.ts';
import { seenInPlaces } from './seen-in-places.ts';
import type { SeenFiles } from './store-identity.ts';
import { StorePlace } from './store-place.ts';

interface StoreCheckerInit {
  readonly stores: readonly PersistStore[];
  /** A store that answers nothing for this long counts as hung. Default 5 s. */
  readonly sectorTimeoutMs?: number;
  /** A store was looked at, or is no longer configured: then it is in no trouble. */
  readonly onLook?: (state: StoreState) => void;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Says where to look first; without it each sector is looked for everywhere. */
  readonly index?: SectorPlaces;
}

export interface CheckInit {
  readonly minerId: number;
  /** In bytes. */
  readonly sectorSize: number;
  readonly sectors: readonly WantedSector[];
  readonly signal?: AbortSignal;
}

/** How a store was when it was looked at last. */
export interface StoreState {
  readonly store: PersistStore;
  /** Why it cannot be trusted; undefined where it can. */
  readonly trouble: string | undefined;
  /** Milliseconds that the last look took; undefined where it was not answered. */
  readonly answerMs: number | undefined;
  /** Processes that hang in it. */
  readonly abandoned: number;
}

/** One sector of a check. */
interface Case {
  readonly sector: SectorName;
  readonly files: SectorFiles;
  /** Undefined where the index says nothing. */
  readonly known: Known | undefined;
  /** Copies that gave no proof. */
  readonly corrupt: readonly SectorCopy[];
  readonly found: readonly Found[];
}

interface Found {
  readonly place: StorePlace;
  /** Of the place. */
  readonly store: PersistStore;
  readonly look: Look;
}

const DEFAULT_SECTOR_TIMEOUT_MS = 5_000;
const doubtTexts: Readonly<Record<IndexDoubt, string>> = {
  'no-index': 'the index, which knows what belongs there, does not answer',
  'never-attached': 'it was never attached, so nobody knows what belongs there: use util storage attach',
};
/** To begin with as many takes a few milliseconds. */
const SECTORS_IN_TURN = 256;

/**
 * Says of sectors whether all their files are there. Every access to a store happens in a process of that store's own, so that a
 * hung store costs its own sectors only and never this process' threads.
 */
export class StoreChecker {
  readonly #components: Components;
  readonly #init: StoreCheckerInit;
  readonly #index: IndexedPlaces;
  #places: readonly StorePlace[] = [];
  #isWatching = false;

  constructor(components: Components, init: StoreCheckerInit) {
    this.#components = components;
    this.#init = init;
    this.#index = new IndexedPlaces(components);
    this.reload(init.stores);
  }

  get stores(): readonly PersistStore[] {
    return this.#places.map(({ store }) => store);
  }

  get states(): readonly StoreState[] {
    return this.#places.map(stateOf);
  }

  /** Looks at all stores from now on, so that one in trouble is known before it is needed. */
  keepWatch(): void {
    this.#isWatching = true;
    for (const place of this.#places) place.keepLooking();
  }

  /** Other stores from now on. One that keeps its name and path is asked on, and tried at once if it hung; one that is gone answers `unknown`. */
  reload(stores: readonly PersistStore[]): void {
    const before = this.#places;
    this.#places = stores.map((store) => {
      const kept = before.find((place) => place.store.name === store.name && place.store.path === store.path);
      if (kept === undefined) return this.#placeOf(store);
      kept.store = store;
      kept.watch.tryNow();
      kept.identity.forgetFileSystem();
      void this.#index.expectAnew(kept);
      return kept;
    });
    for (const place of before) {
      if (this.#places.includes(place)) continue;
      place.close();
      this.#init.onLook?.({ ...stateOf(place), trouble: undefined });
    }
  }

  /**
   * Looks now why a store cannot be trusted by what the index says now; undefined where it can.
   * @param byThese what it is to be known by, where that is not all that the index knows there
   */
  async trouble(name: string, byThese?: readonly StoreShare[]): Promise<string | undefined> {
    const place = this.#places.find(({ store }) => store.name === name);
    if (place === undefined) return `no store ${name} is configured`;
    if (byThese !== undefined) return await place.troubleBy(expectationOf(byThese));
    if (!(await this.#index.expectAnew(place))) return doubtTexts['no-index'];
    return await place.troubleSince(await place.probe());
  }

  /**
   * One verdict for each sector, in the order asked. A store that fails makes sectors `unknown`, never an error; rejects only with
   * the signal's reason, or `bad-sector-size`.
   */
  async check(init: CheckInit): Promise<SectorCheck[]> {
    const { minerId, sectorSize, signal } = init;
    const places = this.#places.filter(({ store }) => storeAllows(store, minerId));
    if (places.length === 0) {
      const reason = `no store is configured for miner ${minerId}`;
      return init.sectors.map(({ number }) => ({ number, verdict: 'unknown', reason }));
    }
    signal?.throwIfAborted();
    const before = places.map((place) => place.probe());
    const located = await this.#index.locate(minerId, init.sectors, places);
    const doubts = new Map(
      await Promise.all(places.map(async (one) => [one, await this.#index.doubtIn(one, located)] as const)),
    );
    const wanted = init.sectors.map(({ number, upgraded, corrupt = [] }, index): Case => {
      const files = sectorFiles(minerId, number, { upgraded, sectorSize });
      const sector = { number, upgraded, minerId, sectorSize };
      return { sector, files, known: located?.known[index], corrupt, found: [] };
    });
    const first = await this.#lookForAll(places, wanted, signal);
    signal?.throwIfAborted();
    const second = await Promise.all(
      first.map((one) => (isComplete(one) || hasUnknown(one) ? one : this.#lookAround(places, one, signal))),
    );
    const seen = seenInPlaces(second);
    // Where nothing is missing, those that had something are asked: they answer soon.
    const asked = first.every(isComplete) ? goodPlaces(first) : new Set(places);
    const troubles = new Map<StorePlace, string | undefined>();
    await Promise.all(
      places.map(async (place, index) => {
        if (!asked.has(place)) return;
        const probe = (await before[index]) ?? (await place.probe());
        const noIndex = doubts.get(place) === 'no-index' ? doubtTexts['no-index'] : undefined;
        const trouble = (await place.troubleSince(probe)) ?? noIndex;
        troubles.set(place, trouble ?? place.identity.doubtAfter(seen.get(place) ?? []));
      }),
    );
    signal?.throwIfAborted();
    this.#remember(minerId, first, troubles);
    for (const [place, doubt] of doubts) {
      if (doubt !== undefined) troubles.set(place, troubles.get(place) ?? doubtTexts[doubt]);
    }
    return second.map((one) => verdict(one, troubles));
  }

  /** Kills the processes. Checks under way answer `unknown`. */
  close(): void {
    for (const place of this.#places) place.close();
  }

  #placeOf(store: PersistStore): StorePlace {
    const timeoutMs = this.#init.sectorTimeoutMs ?? DEFAULT_SECTOR_TIMEOUT_MS;
    const onLook = () => {
      this.#index.refresh(place);
      this.#init.onLook?.(stateOf(place));
    };
    const twin = (root: string) => this.#places.find((other) => other !== place && other.root === root)?.store;
    const place: StorePlace = new StorePlace(this.#components, { store, timeoutMs, twin, onLook });
    void this.#index.expectAnew(place);
    if (this.#isWatching) place.keepLooking();
    return place;
  }

  async #lookForAll(
    places: readonly StorePlace[],
    wanted: readonly Case[],
    signal: AbortSignal | undefined,
  ): Promise<Case[]> {
    const looks: Promise<Case>[] = [];
    for (const one of wanted) {
      looks.push(this.#lookAround(places, one, signal));
      if (looks.length % SECTORS_IN_TURN === 0) await new Promise<void>(inTurn);
    }
    return await Promise.all(looks);
  }

  /** Asks one after the other the places where the sector should be, then, unless all is there, the others all at once. */
  async #lookAround(places: readonly StorePlace[], one: Case, signal: AbortSignal | undefined): Promise<Case> {
    const found: Found[] = [];
    const now: Case = { ...one, found };
    const isWanted = () => signal?.aborted !== true && !isComplete(now);
    const lookIn = async (place: StorePlace) => {
      found.push({ place, store: place.store, look: await place.watch.look(one.sector, isWanted) });
    };
    const known = one.known?.places ?? [];
    for (const place of known) if (isWanted()) await lookIn(place);
    const others = isWanted() ? places.filter((place) => !known.includes(place)) : [];
    await new Promise<void>((resolve) => {
      let left = others.length;
      if (left === 0) resolve();
      for (const place of others) {
        void lookIn(place).then(() => {
          left--;
          if (left === 0 || !isWanted()) resolve();
        });
      }
    });
    return { ...one, found: [...found] };
  }

  /** What was found in stores that were themselves becomes what they are known by, and what the index knows. */
  #remember(minerId: number, cases: readonly Case[], troubles: ReadonlyMap<StorePlace, string | undefined>): void {
    const news: Parameters<IndexedPlaces['learn']>[1][number][] = [];
    const seen = new Map<StorePlace, SeenFiles[]>();
    for (const one of cases) {
      if (!isComplete(one)) continue;
      const trusted = one.found.filter(({ place }) => troubles.has(place) && troubles.get(place) === undefined);
      const found = trusted.map(({ place, look }) => ({
        store: place.store.name,
        hasSealed: look.sealed.is === 'good',
        hasCache: look.cache.is === 'good',
      }));
      for (const { place, look } of trusted) {
        const sealed = look.sealed.is === 'good' ? one.files.sealed.path : undefined;
        const cache = look.cache.is === 'good' ? `${one.files.cache.path}/${IN_EACH_CACHE}` : undefined;
        const sectors = seen.get(place) ?? [];
        seen.set(place, sectors);
        sectors.push({ sealed, cache });
      }
      if (one.known !== undefined) news.push({ sector: one.sector, copies: one.known.copies, found });
    }
    for (const [place, sectors] of seen) place.identity.sawGood(sectors);
    this.#index.learn(minerId, news);
  }
}

/** As `StoreChecker.trouble`. @throws CodedError `store-not-itself` */
export async function mustBeItself(
  checker: Pick<StoreChecker, 'trouble'>,
  store: string,
  byThese?: readonly StoreShare[],
): Promise<void> {
  const trouble = await checker.trouble(store, byThese);
  if (trouble !== undefined) throw new CodedError('store-not-itself', `store ${store}: ${trouble}`);
}

function stateOf({ store, trouble, answerMs, watch }: StorePlace): StoreState {
  return { store, trouble, answerMs, abandoned: watch.abandoned };
}

function goodPlaces(cases: readonly Case[]): Set<StorePlace> {
  const good = new Set<StorePlace>();
  for (const { found } of cases) {
    for (const { place, look } of found) if (look.sealed.is === 'good' || look.cache.is === 'good') good.add(place);
  }
  return good;
}

function isComplete({ files, found, corrupt }: Case): boolean {
  return bestCopy(files, found, corrupt) !== undefined;
}

function hasUnknown({ found }: Case): boolean {
  return found.some(({ look }) => look.sealed.is === 'unknown' || look.cache.is === 'unknown');
}

function verdict(
  { sector, files, found, known, corrupt }: Case,
  troubles?: ReadonlyMap<StorePlace, string | undefined>,
): SectorCheck {
  const looks = found.map(({ place, store, look }): StoreLook => {
    const trouble = troubles?.get(place);
    const hasFolder = (folder: StoreFolder) => place.identity.hasFolder(folder);
    return { store, look, hasFolder, ...(trouble !== undefined && { trouble }) };
  });
  const check = judge(sector.number, files, looks, corrupt);
  const elsewhere = known?.copies.find((copy) => !found.some(({ place }) => place.store.name === copy.store));
  if (check.verdict === 'good' || check.verdict === 'unknown' || elsewhere === undefined) return check;
  const reason = `${check.reason}, and the store ${elsewhere.store}, which had it, is not configured for this miner`;
  return check.verdict === 'corrupt'
    ? { ...check, doubt: reason }
    : { number: check.number, verdict: 'unknown', reason };
}
