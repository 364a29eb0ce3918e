import { z } from 'zod';
import type { Clock } from '../../../clock/clock.ts';
import { inTurn } from '../../../clock/in-turn.ts';
import { CodedError, errorText } from '../../../errors/coded-error.ts';
import type { Copy } from '../../../stores/index/sector-index.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';
import { dial, type Line } from './dial.ts';
import { copiesOf, findResult } from './sector-location.ts';

/** Calls under way at the same time. The server runs each by itself, so with 12 ms an answer 14 full partitions take 3 s. */
const PARALLEL = 128;
const DEFAULT_SILENCE_MS = 10_000;

const answerJson = z.object({
  id: z.int(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).nullish(),
});

export interface LocateOptions {
  /** Hears of each sector that was answered; no copies where it is not known. */
  readonly onAnswer: (sector: WantedSector, copies: readonly Copy[]) => void;
  /** Nothing more is asked. */
  readonly signal?: AbortSignal;
}

/** One `locate`. */
interface Round {
  readonly minerId: number;
  readonly wanted: readonly WantedSector[];
  /** How many of them were asked. */
  asked: number;
  answered: number;
  readonly onAnswer: LocateOptions['onAnswer'];
  readonly end: (error?: unknown) => void;
}

/**
 * The sector index of another manager, asked live: one call a sector, as the system that this one replaces knows it, many at once
 * over one WebSocket that is there while there is something to ask. Rounds that are put side by side share it, first come first served.
 */
export class IndexerClient {
  readonly #clock: Clock;
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #silenceMs: number;
  readonly #rounds = new Set<Round>();
  readonly #underWay = new Map<number, { readonly round: Round; readonly sector: WantedSector }>();
  #line: Line | undefined;
  #isOpen = false;
  #callOffWatch: () => void = () => {};
  #lastId = 0;
  #heardAt = 0;

  /**
   * @param init.address `host:port` or a URL
   * @param init.silenceMs it is given up when no answer came for so long, however many come in all
   */
  constructor(
    { clock }: { readonly clock: Clock },
    init: { readonly address: string; readonly token?: string | undefined; readonly silenceMs?: number },
  ) {
    this.#clock = clock;
    const base = init.address.includes('://') ? init.address.replace(/^http/, 'ws') : `ws://${init.address}`;
    this.#url = `${base.replace(/\/+$/, '').replace(/\/rpc\/v0$/, '')}/rpc/v0`;
    this.#token = init.token;
    this.#silenceMs = init.silenceMs ?? DEFAULT_SILENCE_MS;
  }

  /**
   * Asks where it has the sectors of a miner. What was answered before an error stands.
   * @throws CodedError `index-unavailable`, or the signal's reason
   */
  async locate(minerId: number, wanted: readonly WantedSector[], { onAnswer, signal }: LocateOptions): Promise<void> {
    signal?.throwIfAborted();
    if (wanted.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => round.end(signal?.reason);
      const end = (error?: unknown) => {
        signal?.removeEventListener('abort', onAbort);
        this.#rounds.delete(round);
        if (error === undefined) resolve();
        else reject(error);
        if (this.#rounds.size === 0) this.#hangUp();
      };
      const round: Round = { minerId, wanted, asked: 0, answered: 0, onAnswer, end };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#rounds.add(round);
      if (this.#line === undefined) this.#connect();
      else this.#askOn();
    });
  }

  #connect(): void {
    this.#heardAt = this.#clock.monotonic();
    try {
      this.#line = dial(this.#url, {
        token: this.#token,
        onOpen: () => {
          this.#isOpen = true;
          this.#askOn();
        },
        onMessage: (text) => this.#onMessage(text),
        onEnd: (reason) => this.#fail(reason),
      });
      this.#watchSilence(this.#line, this.#silenceMs);
    } catch (error) {
      this.#fail(errorText(error));
    }
  }

  #watchSilence(line: Line, ms: number): void {
    this.#callOffWatch = this.#clock.after(ms, async () => {
      // What came while this process was busy is heard first.
      await new Promise<void>(inTurn);
      if (this.#line !== line) return;
      const leftMs = this.#heardAt + this.#silenceMs - this.#clock.monotonic();
      if (leftMs > 0) this.#watchSilence(line, leftMs);
      else this.#fail(`no answer for ${this.#silenceMs} ms`);
    });
  }

  #askOn(): void {
    if (!this.#isOpen) return;
    for (const round of this.#rounds) {
      while (this.#underWay.size < PARALLEL) {
        const sector = round.wanted[round.asked];
        if (sector === undefined) break;
        round.asked++;
        const id = ++this.#lastId;
        this.#underWay.set(id, { round, sector });
        const params = [sector.upgraded ? 'upgrade' : 'normal', { Miner: round.minerId, Number: sector.number }];
        this.#line?.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'Venus.SectorIndexerFind', params }));
      }
    }
  }

  #onMessage(text: string): void {
    let round: Round | undefined;
    try {
      const { id, result, error } = answerJson.parse(JSON.parse(text));
      const call = this.#underWay.get(id);
      if (call === undefined) return;
      this.#underWay.delete(id);
      this.#heardAt = this.#clock.monotonic();
      round = call.round;
      if (!this.#rounds.has(round)) return;
      if (error) throw new Error(error.message);
      round.onAnswer(call.sector, copiesOf(findResult.parse(result)));
      if (++round.answered === round.wanted.length) round.end();
    } catch (error) {
      round?.end(this.#unavailable(errorText(error), error));
    } finally {
      this.#askOn();
    }
  }

  #fail(reason: string): void {
    const error = this.#unavailable(reason);
    this.#hangUp();
    for (const round of [...this.#rounds]) round.end(error);
  }

  #hangUp(): void {
    this.#callOffWatch();
    this.#line?.hangUp();
    this.#line = undefined;
    this.#isOpen = false;
    this.#underWay.clear();
  }

  #unavailable(reason: string, cause?: unknown): CodedError {
    const message = `the sector index at ${this.#url} cannot be asked: ${reason}`;
    return new CodedError('index-unavailable', message, { cause });
  }
}
