import { z } from 'zod';
import type { Clock } from '../../../clock/clock.ts';
import { withTimeLimit } from '../../../clock/time-limit.ts';
import { CodedError, errorText } from '../../../errors/coded-error.ts';
import type { Copy } from '../../../stores/index/sector-index.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';
import { copiesOf, findResult } from './sector-location.ts';

const CALL_LIMIT_MS = 10_000;
/** Calls at the same time; the other manager looks each one up by itself. */
const PARALLEL = 16;

const answerJson = z.object({
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).nullish(),
});

export interface LocateOptions {
  /** Hears of each sector that was answered. */
  readonly onAnswer?: () => void;
  /** Nothing more is asked. */
  readonly signal?: AbortSignal;
}

/** The sector index of another manager, asked live, one call a sector. */
export class IndexerClient {
  readonly #clock: Clock;
  readonly #url: string;
  readonly #token: string | undefined;
  #lastId = 0;

  /** @param init.address `host:port` or an http URL */
  constructor(
    { clock }: { readonly clock: Clock },
    init: { readonly address: string; readonly token?: string | undefined },
  ) {
    this.#clock = clock;
    const base = init.address.includes('://') ? init.address : `http://${init.address}`;
    this.#url = `${base.replace(/\/+$/, '').replace(/\/rpc\/v0$/, '')}/rpc/v0`;
    this.#token = init.token;
  }

  /**
   * Where it has the sectors of a miner; those that it does not know are absent.
   * @throws CodedError `index-unavailable`, or the signal's reason
   */
  async locate(
    minerId: number,
    wanted: readonly WantedSector[],
    { onAnswer = () => {}, signal }: LocateOptions = {},
  ): Promise<Map<number, readonly Copy[]>> {
    const located = new Map<number, readonly Copy[]>();
    const left = wanted[Symbol.iterator]();
    const ask = async () => {
      for (const sector of left) {
        signal?.throwIfAborted();
        const copies = await this.#find(minerId, sector);
        if (copies.length > 0) located.set(sector.number, copies);
        onAnswer();
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, ask));
    return located;
  }

  async #find(minerId: number, { number, upgraded }: WantedSector): Promise<readonly Copy[]> {
    const ending = new AbortController();
    const params = [upgraded ? 'upgrade' : 'normal', { Miner: minerId, Number: number }];
    try {
      const asked = this.#post({ params }, ending.signal);
      const { result, error } = await withTimeLimit(this.#clock, CALL_LIMIT_MS, 'SectorIndexerFind', asked);
      if (error) throw new Error(error.message);
      return copiesOf(findResult.parse(result));
    } catch (cause) {
      throw new CodedError(
        'index-unavailable',
        `the sector index at ${this.#url} cannot be asked: ${errorText(cause)}`,
        {
          cause,
        },
      );
    } finally {
      ending.abort();
    }
  }

  async #post(request: object, signal: AbortSignal): Promise<z.output<typeof answerJson>> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(this.#token !== undefined && { Authorization: `Bearer ${this.#token}` }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#lastId, method: 'Venus.SectorIndexerFind', ...request }),
      signal,
    });
    if (response.status === 401) throw new Error((await response.text()).trim() || 'it asks for a token');
    // go-jsonrpc answers errors of a method with 500 and a body.
    if (!response.ok && response.status !== 500) throw new Error(`it answers ${response.status}; check the address`);
    return answerJson.parse(await response.json());
  }
}
