import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CheckChild } from './check-child.ts';
import type { Answer, Look, Probe, Question, SectorName } from './check-messages.ts';
import { Fifo } from './fifo.ts';
import { Parallelism } from './parallelism.ts';
import type { PersistStore } from './persist-store.ts';

interface Ask {
  readonly question: Question;
  readonly isWanted: () => boolean;
  readonly resolve: (answer: Answer | undefined, trouble: string) => void;
  askedAt: number;
}

interface StoreWatchInit {
  readonly store: PersistStore;
  /** A store that answers no call for this long is silent; one that hangs is tried again after as long. */
  readonly timeoutMs: number;
  /** It hangs, for the reason given; or it answers again. */
  readonly onChange?: (hangs: string | undefined) => void;
}

/** Times that a process may fall silent or die, and the store answer the next one, before the questions that wait are given up. */
const STRIKES_MAX = 4;
/** Processes that were killed and hang on in the store. Each costs memory until its call returns: beyond, the store is tried seldom. */
const ABANDONED_MAX = 4;
const LONGEST_PAUSE_MS = 3_600_000;
/** For Node to start on a busy machine. */
const START_LIMIT_MS = 20_000;

/**
 * Asks one store through a process of its own. When nothing is answered for `timeoutMs`, the questions in the process are answered
 * `unknown`, the process is abandoned, and a fresh one tries the store. Does that get no answer either, the store hangs: whatever is
 * asked is `unknown` at once, until a trial, made by a fresh process every `timeoutMs`, is answered. Where the processes of earlier
 * trials cannot be killed either, each pause is twice the last one: what they hang in may never answer, and a fresh mount there will.
 */
export class StoreWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #init: StoreWatchInit;
  readonly #waiting = new Fifo<Ask>();
  readonly #inProcess = new Map<number, Ask>();
  readonly #parallelism = new Parallelism();
  #child: CheckChild | undefined;
  #isReady = false;
  #isTrial = false;
  /** Why nothing is asked of the store. */
  #hangs: string | undefined;
  #isClosed = false;
  #lastId = 0;
  #strikes = 0;
  #wasSilent = false;
  #abandoned = 0;
  #signAt = 0;
  #pauseMs: number;
  #callOffLimit: (() => void) | undefined;
  #callOffTrial = () => {};

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }, init: StoreWatchInit) {
    this.#clock = clock;
    this.#logger = logger.child({ store: init.store.name });
    this.#init = init;
    this.#pauseMs = init.timeoutMs;
  }

  /** Processes that hang in the store. */
  get abandoned(): number {
    return this.#abandoned;
  }

  /** Never rejects. Where `isWanted` says no by the time it is this sector's turn, the finding is `unknown`. */
  look(sector: SectorName, isWanted: () => boolean): Promise<Look> {
    return this.#ask({ ask: 'look', sector }, isWanted, (answer, reason) => {
      if (answer !== undefined && 'look' in answer) return answer.look;
      const unknown = { is: 'unknown', reason } as const;
      return { sealed: unknown, cache: unknown };
    });
  }

  /** Never rejects. */
  probe(canaries: readonly string[]): Promise<Probe> {
    return this.#ask(
      { ask: 'probe', canaries },
      () => true,
      (answer, trouble) => {
        if (answer !== undefined && 'probe' in answer) return answer.probe;
        return { filled: [], canaries: { found: 0, gone: 0, doubtful: canaries.length }, trouble };
      },
    );
  }

  /** Whoever looks after the store says that it may be well again. */
  tryNow(): void {
    if (this.#isClosed || this.#hangs === undefined || this.#isTrial) return;
    this.#callOffTrial();
    this.#try();
  }

  close(): void {
    this.#isClosed = true;
    this.#callOffTrial();
    this.#endChild();
    this.#giveUp('the check was ended');
  }

  #ask<T>(
    question: Question,
    isWanted: () => boolean,
    read: (answer: Answer | undefined, trouble: string) => T,
  ): Promise<T> {
    return new Promise((resolve) => {
      const ask: Ask = {
        question,
        isWanted,
        resolve: (answer, trouble) => resolve(read(answer, trouble)),
        askedAt: 0,
      };
      const refused = this.#isClosed ? 'the check was ended' : this.#hangs;
      if (refused !== undefined) return ask.resolve(undefined, refused);
      this.#waiting.push(ask);
      this.#fill();
    });
  }

  #fill(): void {
    if (this.#isTrial) return;
    while (this.#inProcess.size < this.#parallelism.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (next.isWanted()) this.#send(next);
      else next.resolve(undefined, 'no longer wanted');
    }
    if (this.#inProcess.size === 0 && this.#waiting.size === 0) this.#strikes = 0;
  }

  #send(ask: Ask): void {
    const child = this.#child ?? this.#startChild();
    if (this.#inProcess.size === 0) this.#signAt = this.#clock.monotonic();
    ask.askedAt = this.#clock.monotonic();
    this.#inProcess.set(++this.#lastId, ask);
    child.ask(this.#lastId, ask.question);
    this.#callOffLimit ??= this.#clock.after(this.#limitMs, () => this.#onLimit());
  }

  #startChild(): CheckChild {
    this.#isReady = false;
    this.#signAt = this.#clock.monotonic();
    const child: CheckChild = new CheckChild(
      { storePath: this.#init.store.path, isCareful: this.#wasSilent },
      {
        onReady: () => {
          if (child !== this.#child) return;
          this.#isReady = true;
          this.#signAt = this.#clock.monotonic();
          this.#callOffLimit?.();
          this.#callOffLimit = this.#clock.after(this.#limitMs, () => this.#onLimit());
        },
        onBusy: () => {
          if (child === this.#child) this.#signAt = this.#clock.monotonic();
        },
        onAnswer: (id, answer) => {
          if (child === this.#child) this.#onAnswer(id, answer);
        },
        onExit: () => this.#onExit(child),
      },
    );
    this.#logger.debug('check process started');
    this.#child = child;
    return child;
  }

  #onAnswer(id: number, answer: Answer): void {
    this.#signAt = this.#clock.monotonic();
    const ask = this.#inProcess.get(id);
    this.#inProcess.delete(id);
    if (ask !== undefined && ask.question.ask === 'look') this.#parallelism.answered(this.#signAt - ask.askedAt);
    ask?.resolve(answer, '');
    this.#fill();
  }

  #onExit(child: CheckChild): void {
    if (child !== this.#child) {
      this.#abandoned--;
      if (this.#abandoned === ABANDONED_MAX - 1) this.#tryAsUsual();
      return;
    }
    this.#child = undefined;
    this.#logger.warn('check process ended by itself');
    this.#silent('the process that looked at the store ended');
  }

  /** Until the process is ready it may take longer; a trial asks little. */
  get #limitMs(): number {
    if (!this.#isReady) return START_LIMIT_MS;
    return this.#isTrial ? this.#init.timeoutMs / 2 : this.#init.timeoutMs;
  }

  /** One timer that looks when the last sign was, since one for each answer would cost as much as the answer. */
  #onLimit(): void {
    this.#callOffLimit = undefined;
    if (this.#inProcess.size === 0) return;
    const leftMs = this.#signAt + this.#limitMs - this.#clock.monotonic();
    if (leftMs > 0) {
      this.#callOffLimit = this.#clock.after(leftMs, () => this.#onLimit());
      return;
    }
    this.#logger.warn({ unanswered: this.#inProcess.size, afterMs: this.#limitMs }, 'store does not answer');
    const reason = `the store gave no answer within ${this.#limitMs} ms`;
    this.#endChild();
    this.#silent(reason);
  }

  #endChild(): void {
    this.#callOffLimit?.();
    this.#callOffLimit = undefined;
    if (this.#child === undefined) return;
    this.#abandoned++;
    const child = this.#child;
    this.#child = undefined;
    child.kill();
  }

  /** The process is gone with what was asked of it. */
  #silent(reason: string): void {
    this.#wasSilent = true;
    const lost = [...this.#inProcess.values()];
    this.#inProcess.clear();
    const isSecond = this.#isTrial;
    this.#isTrial = false;
    if (this.#isClosed) return;
    if (!isSecond && this.#abandoned < ABANDONED_MAX && ++this.#strikes < STRIKES_MAX) {
      for (const ask of lost) ask.resolve(undefined, reason);
      this.#try();
      return;
    }
    this.#hang(reason);
    for (const ask of lost) ask.resolve(undefined, reason);
  }

  #hang(reason: string): void {
    this.#strikes = 0;
    const isFull = this.#abandoned >= ABANDONED_MAX;
    this.#tryAfter(isFull ? Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS) : this.#init.timeoutMs);
    if (this.#hangs !== undefined) return;
    this.#hangs = reason;
    this.#giveUp(reason);
    this.#init.onChange?.(reason);
  }

  #tryAfter(pauseMs: number): void {
    this.#pauseMs = pauseMs;
    this.#callOffTrial();
    this.#callOffTrial = this.#clock.after(pauseMs, () => this.#try());
  }

  /** Processes that hung have ended, so there is room for others. */
  #tryAsUsual(): void {
    if (this.#isClosed || this.#hangs === undefined || this.#isTrial) return;
    this.#tryAfter(this.#init.timeoutMs);
  }

  /** A fresh process asks for little, alone. */
  #try(): void {
    this.#isTrial = true;
    this.#send({
      question: { ask: 'probe', canaries: [] },
      isWanted: () => true,
      askedAt: 0,
      resolve: (answer) => {
        if (answer === undefined) return;
        this.#isTrial = false;
        const hung = this.#hangs !== undefined;
        this.#hangs = undefined;
        this.#pauseMs = this.#init.timeoutMs;
        if (hung) this.#init.onChange?.(undefined);
      },
    });
  }

  #giveUp(reason: string): void {
    for (const ask of [...this.#inProcess.values(), ...this.#waiting.takeAll()]) ask.resolve(undefined, reason);
    this.#inProcess.clear();
  }
}
