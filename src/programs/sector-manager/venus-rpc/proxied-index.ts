import { errorText } from '../../../errors/coded-error.ts';
import type { Copy, StoreShare } from '../../../stores/index/sector-index.ts';
import type { SectorPlaces } from '../../../stores/indexed-places.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { IndexerClient } from './indexer-client.ts';

/** `--proxy`: where sectors are is asked of another manager; while it does not answer, our own index says it. */
export class ProxiedIndex implements SectorPlaces {
  readonly #logger: Logger;
  readonly #other: Pick<IndexerClient, 'locate'>;
  readonly #own: SectorPlaces;
  #isAway = false;

  constructor(
    { logger }: { readonly logger: Logger },
    init: { readonly other: Pick<IndexerClient, 'locate'>; readonly own: SectorPlaces },
  ) {
    this.#logger = logger;
    this.#other = init.other;
    this.#own = init.own;
  }

  async locate(minerId: number, wanted: readonly WantedSector[]): Promise<Map<number, readonly Copy[]>> {
    try {
      const located = await this.#other.locate(minerId, wanted);
      if (this.#isAway) this.#logger.info({}, 'the manager of --proxy answers again');
      this.#isAway = false;
      return located;
    } catch (error) {
      if (!this.#isAway) {
        this.#logger.warn({ error: errorText(error) }, 'the manager of --proxy does not answer, the own index is used');
      }
      this.#isAway = true;
      return await this.#own.locate(minerId, wanted);
    }
  }

  async shares(only: { readonly store?: string; readonly minerId?: number }): Promise<StoreShare[]> {
    return await this.#own.shares(only);
  }

  async add(shares: readonly StoreShare[]): Promise<void> {
    await this.#own.add(shares);
  }
}
