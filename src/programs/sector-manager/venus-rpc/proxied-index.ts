import type { Clock } from '../../../clock/clock.ts';
import { withTimeLimit } from '../../../clock/time-limit.ts';
import { errorText } from '../../../errors/coded-error.ts';
import type { Copy, StoreShare } from '../../../stores/index/sector-index.ts';
import type { SectorPlaces } from '../../../stores/indexed-places.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { IndexerClient } from './indexer-client.ts';

/** The check waits 2 s for an index, and the own one has to answer in what is left. */
const LIMIT_MS = 1_500;

/** `--proxy`: where sectors are is asked of another manager; while it does not answer, or not in time, our own index says it. */
export class ProxiedIndex implements SectorPlaces {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #other: Pick<IndexerClient, 'locate'>;
  readonly #own: SectorPlaces;
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
    const ending = new AbortController();
    try {
      const asked = this.#other.locate(minerId, wanted, { signal: ending.signal });
      const located = await withTimeLimit(this.#clock, LIMIT_MS, 'it', asked);
      if (this.#isAway) this.#logger.info({}, 'the manager of --proxy answers again');
      this.#isAway = false;
      return located;
    } catch (error) {
      if (!this.#isAway) {
        this.#logger.warn({ error: errorText(error) }, 'the manager of --proxy does not answer, the own index is used');
      }
      this.#isAway = true;
      return await this.#own.locate(minerId, wanted);
    } finally {
      ending.abort();
    }
  }

  async shares(only: { readonly store?: string; readonly minerId?: number }): Promise<StoreShare[]> {
    return await this.#own.shares(only);
  }

  async wasScanned(store: string): Promise<boolean> {
    return await this.#own.wasScanned(store);
  }

  async add(shares: readonly StoreShare[]): Promise<void> {
    await this.#own.add(shares);
  }
}
