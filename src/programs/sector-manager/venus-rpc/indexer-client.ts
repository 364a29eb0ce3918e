import { z } from 'zod';
import type { Clock } from '../../../clock/clock.ts';
import { inTurn } from '../../../clock/in-turn.ts';
import { CodedError, errorText } from '../../../errors/coded-error.ts';
import type { Copy } from '../../../stores/index/sector-index.ts';
import type { WantedSector } from '../../../stores/sector-check.ts';
import { FindSocket } from './find-socket.ts';
import { copiesOf, findResult } from './sector-location.ts';

/**
 * Calls under way at the same time. The server runs each by itself, so with 12 ms an answer the 32,886 sectors of a large deadline
 * take 3 s; more at once would only crowd it.
 */
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
  #socket: FindSocket | undefined;
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
      if (this.#socket === undefined) this.#connect();
      else this.#askOn();
    });
  }

  #connect(): void {
    const socket = new FindSocket(this.#url, {
      token: this.#token,
      onOpen: () => this.#askOn(),
      onMessage: (text) => this.#onMessage(text),
      onEnd: (reason) => this.#fail(reason),
    });
    this.#socket = socket;
    this.#heardAt = this.#clock.monotonic();
    this.#watchSilence(socket, this.#silenceMs);
  }

  #watchSilence(socket: FindSocket, ms: number): void {
    const callOff = this.#clock.after(ms, async () => {
      // What came while this process was busy is heard first.
      await new Promise<void>(inTurn);
      if (this.#socket !== socket) return;
      const leftMs = this.#heardAt + this.#silenceMs - this.#clock.monotonic();
      if (leftMs > 0) this.#watchSilence(socket, leftMs);
      else this.#fail(`no answer for ${this.#silenceMs} ms`);
    });
    socket.whenHungUp(callOff);
  }

  #askOn(): void {
    const { isOpen, send } = this.#socket ?? {};
    if (!isOpen || send === undefined) return;
    for (const round of this.#rounds) {
      while (this.#underWay.size < PARALLEL) {
        const sector = round.wanted[round.asked];
        if (sector === undefined) break;
        round.asked++;
        const id = ++this.#lastId;
        this.#underWay.set(id, { round, sector });
        const params = [sector.upgraded ? 'upgrade' : 'normal', { Miner: round.minerId, Number: sector.number }];
        send(JSON.stringify({ jsonrpc: '2.0', id, method: 'Venus.SectorIndexerFind', params }));
      }
    }
  }
