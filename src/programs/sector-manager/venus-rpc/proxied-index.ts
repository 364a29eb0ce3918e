import type { Clock } from '../../../clock/clock.ts';
import { withTimeLimit } from '../../../clock/time-limit.ts';
import { errorText } from '../../../errors/coded-error.ts';
import type { Copy, StoreShare } from '../../../stores/index/sector-index.ts';
import type { SectorPlaces } from '../../../stores/indexed-places.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { IndexerClient } from './indexer-client.ts';

/** For one question, while answers keep coming. What came is kept, so the next check asks only for the rest. */
const ANSWERS_LIMIT_MS = 10_000;
const OWN_LIMIT_MS = 2_000;
/** A check is made several times in a deadline; a file that was moved is found there after this, and by looking around before. */
const FRESH_MS = 10 * 60_000;

interface Remembered {
  readonly copies: readonly Copy[];
  readonly at: number;
}

/**
 * `--proxy`: where sectors are is asked of another manager. What it has answered is remembered, some 100 bytes a sector: for a while
 * instead of asking, then for when it does not answer. Our own index says what it does not.
 */
export class ProxiedIndex implements SectorPlaces {
  readonly limitMs = ANSWERS_LIMIT_MS + OWN_LIMIT_MS + 500;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #other: Pick<IndexerClient, 'locate'>;
  readonly #own: SectorPlaces;
  readonly #remembered = new Map<string, Map<number, Remembered>>();
  #isAway = false;

  constructor(
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    init: { readonly other: Pick<IndexerClient, 'locate'>; readonly own: SectorPlaces },
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#other = init.other;
    this.#own = init.own;
  }

  async locate(minerId: number, wanted: readonly WantedSector[]): Promise<Map<number, readonly Copy[]>> {
    const now = this.#clock.monotonic();
    const known = (sector: WantedSector) => this.#memory(minerId, sector).get(sector.number);
    await this.#ask(
      minerId,
      wanted.filter((sector) => now - (known(sector)?.at ?? Number.NEGATIVE_INFINITY) >= FRESH_MS),
    );
    const located = new Map<number, readonly Copy[]>();
    const left: WantedSector[] = [];
    for (const sector of wanted) {
      const { copies } = known(sector) ?? {};
      if (copies === undefined) left.push(sector);
      else located.set(sector.number, copies);
    }
    if (left.length === 0) return located;
    // Without its answer nobody knows of these sectors where they belong, so then there is none at all.
    const own = await withTimeLimit(this.#clock, OWN_LIMIT_MS, 'the own index', this.#own.locate(minerId, left));
    for (const [number, copies] of own) located.set(number, copies);
    return located;
  }

  async shares(only: { readonly store?: string; readonly minerId?: number }): Promise<StoreShare[]> {
    return await this.#own.shares(only);
  }

  async scannedStores(): Promise<ReadonlySet<string>> {
    return await this.#own.scannedStores();
  }

  async add(shares: readonly StoreShare[]): Promise<void> {
    await this.#own.add(shares);
  }

  #memory(minerId: number, { upgraded }: WantedSector): Map<number, Remembered> {
    const key = `${minerId} ${upgraded}`;
    const memory = this.#remembered.get(key) ?? new Map<number, Remembered>();
    this.#remembered.set(key, memory);
    return memory;
  }

  async #ask(minerId: number, wanted: readonly WantedSector[]): Promise<void> {
    if (wanted.length === 0) return;
    const ending = new AbortController();
    const at = this.#clock.monotonic();
    let answered = 0;
    const onAnswer = (sector: WantedSector, copies: readonly Copy[]): void => {
      answered++;
      const memory = this.#memory(minerId, sector);
      if (copies.length > 0) memory.set(sector.number, { copies, at });
      else memory.delete(sector.number);
    };
    try {
      const asked = this.#other.locate(minerId, wanted, { onAnswer, signal: ending.signal });
      await withTimeLimit(this.#clock, ANSWERS_LIMIT_MS, 'it', asked);
      if (this.#isAway) this.#logger.info({}, 'the manager of --proxy answers again');
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) {
        this.#logger.warn(
          { error: errorText(error), answered, of: wanted.length },
          'the manager of --proxy does not answer, the own index is used',
        );
      }
      this.#isAway = true;
    } finally {
      ending.abort();
    }
  }
}
