import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CheckChild } from './check-child.ts';
import type { Answer, Look, Probe, Question, SectorName } from './check-messages.ts';
import { Fifo } from './fifo.ts';
import { MOST_PARALLEL, Parallelism } from './parallelism.ts';
import type { PersistStore } from './persist-store.ts';
import { SilentSectors } from './silent-sectors.ts';

interface Ask {
  readonly question: Question;
  readonly isWanted: () => boolean;
  readonly resolve: (answer: Answer | undefined, trouble: string) => void;
  askedAt: number;
  /** When a call of it came back last. */
  signAt: number;
  /** It is not asked again: it was in a process that fell silent. */
  isLast: boolean;
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
/** Beyond, only whoever looks after the store has it tried, or a process that ends. A process takes some 45 MB. */
const ABANDONED_MOST = 24;
/** Calls that hang in a process that answers otherwise: each takes one of its threads, so a fresh process takes its place. */
const LOST_MAX = 8;
/** Of them, those that sectors may take that hung before. */
const LOST_AGAIN = 4;
/** Share of the limit without a sign after which a store that answers again has slept. */
const SLEPT = 0.75;
/** A sector whose files alone give no answer is left out for so many limits at first. */
const LEFT_OUT_LIMITS = 12;
const LONGEST_PAUSE_MS = 3_600_000;
/** How often the signs are looked at in the time that a store may be silent. */
const LOOKS_IN_LIMIT = 8;
/** For Node to start on a busy machine. */
const START_LIMIT_MS = 20_000;

/**
 * Asks one store through a process of its own. When no call comes back for `timeoutMs`, the process is abandoned, and a fresh one
 * tries the store; answered, it is asked once more what the first one was. Does it get no answer either, the store hangs: whatever is
 * asked is `unknown` at once, until a trial, made by a fresh process every `timeoutMs`, is answered. Where the processes of earlier
 * trials cannot be killed either, each pause is twice the last one: what they hang in may never answer, and a fresh mount there will.
 * Where calls of one sector alone do not come back, that sector is `unknown`, and the process goes on with a thread less.
 */
export class StoreWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #init: StoreWatchInit;
  readonly #waiting = new Fifo<Ask>();
  readonly #inProcess = new Map<number, Ask>();
  readonly #parallelism = new Parallelism();
  readonly #silentSectors: SilentSectors;
  readonly #filesSilent: string;
  /** Asked of this process, given up, and still under way there. */
  readonly #lost = new Map<number, Question>();
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
  /** Of any question. */
  #signAt = 0;
  /** Since then signs came, whenever anything was asked. */
  #awakeSince = 0;
  #isProbing = false;
  #pauseMs: number;
  #callOffLimit: (() => void) | undefined;
  #callOffTrial = () => {};

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }, init: StoreWatchInit) {
    this.#clock = clock;
    this.#logger = logger.child({ store: init.store.name });
    this.#init = init;
    this.#pauseMs = init.timeoutMs;
    this.#filesSilent = `its files gave no answer within ${init.timeoutMs} ms`;
    this.#silentSectors = new SilentSectors({ clock }, { firstPauseMs: LEFT_OUT_LIMITS * init.timeoutMs });
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
      { ask: 'probe', canaries, canaryLimitMs: this.#init.timeoutMs / 2 },
      () => true,
      (answer, trouble) => {
        if (answer !== undefined && 'probe' in answer) return answer.probe;
        return { filled: [], canaries: { found: 0, gone: 0, doubtful: canaries.length }, trouble };
      },
    );
  }

  /** Whoever looks after the store says that it may be well again. */
  tryNow(): void {
    this.#silentSectors.forget();
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
        signAt: 0,
        isLast: false,
      };
      const refused = this.#isClosed ? 'the check was ended' : this.#hangs;
      if (refused !== undefined) return ask.resolve(undefined, refused);
      this.#waiting.push(ask);
      this.#fill();
    });
  }

  #fill(): void {
    if (this.#isTrial) return;
    const limit = Math.min(this.#parallelism.limit, MOST_PARALLEL - this.#lost.size);
    while (this.#inProcess.size < limit) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (!next.isWanted()) next.resolve(undefined, 'no longer wanted');
      else if (this.#isLeftOut(next.question)) next.resolve(undefined, this.#filesSilent);
      else this.#send(next);
    }
    if (this.#inProcess.size === 0 && this.#waiting.size === 0) this.#strikes = 0;
  }

  #send(ask: Ask): void {
    const child = this.#child ?? this.#startChild();
    ask.askedAt = this.#clock.monotonic();
    ask.signAt = ask.askedAt;
    if (this.#inProcess.size === 0) this.#awake(ask.askedAt);
    this.#inProcess.set(++this.#lastId, ask);
    child.ask(this.#lastId, ask.question);
    if (this.#callOffLimit === undefined) this.#setLimit();
  }

  #isLeftOut(question: Question): boolean {
    return question.ask === 'look' && this.#silentSectors.isLeftOut(question.sector, this.#lost.size < LOST_AGAIN);
  }

  #startChild(): CheckChild {
    this.#isReady = false;
    this.#awake(this.#clock.monotonic());
    const child: CheckChild = new CheckChild(
      { storePath: this.#init.store.path, isCareful: this.#wasSilent },
      {
        onReady: () => {
          if (child !== this.#child) return;
          this.#isReady = true;
          this.#awake(this.#clock.monotonic());
          this.#callOffLimit?.();
          this.#setLimit();
        },
        onBusy: (ids) => {
          if (child !== this.#child) return;
          const now = this.#sign();
          for (const id of ids) {
            const ask = this.#inProcess.get(id);
            if (ask !== undefined) ask.signAt = now;
          }
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
    const now = this.#sign();
    const ask = this.#inProcess.get(id);
    const question = ask?.question ?? this.#lost.get(id);
    this.#inProcess.delete(id);
    this.#lost.delete(id);
    if (question?.ask === 'look') this.#silentSectors.answered(question.sector);
    if (ask !== undefined && ask.question.ask === 'look') this.#parallelism.answered(now - ask.askedAt);
    ask?.resolve(answer, '');
    this.#fill();
  }

  /** A call came back. */
  #sign(): number {
    const now = this.#clock.monotonic();
    if (now - this.#signAt > SLEPT * this.#init.timeoutMs) this.#awakeSince = now;
    this.#signAt = now;
    return now;
  }

  #awake(since: number): void {
    this.#signAt = since;
    this.#awakeSince = since;
  }

  #onExit(child: CheckChild): void {
    if (child !== this.#child) {
      this.#abandoned--;
      if (this.#abandoned === ABANDONED_MAX - 1 || this.#abandoned === ABANDONED_MOST - 1) this.#tryAsUsual();
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

  /** One timer looks when the last signs were, since one for each answer would cost as much as the answer. */
  #onLimit(): void {
    this.#callOffLimit = undefined;
    if (this.#inProcess.size === 0) return;
    const limitMs = this.#limitMs;
    const silentMs = this.#clock.monotonic() - this.#signAt;
    if (silentMs >= limitMs) {
      this.#logger.warn({ unanswered: this.#inProcess.size, afterMs: limitMs }, 'store does not answer');
      const reason = `the store gave no answer within ${limitMs} ms`;
      this.#endChild();
      this.#silent(reason);
      return;
    }
    if (this.#isReady && !this.#isTrial) {
      this.#leaveSilent();
      if (this.#inProcess.size === 0) return;
      if (silentMs >= limitMs / 2) this.#askForSign();
    }
    this.#setLimit();
  }

  #setLimit(): void {
    this.#callOffLimit?.();
    this.#callOffLimit = this.#clock.after(this.#limitMs / LOOKS_IN_LIMIT, () => this.#onLimit());
  }

  /** Gives up what gets no answer though the store answers. Its thread is lost until the call comes back. */
  #leaveSilent(): void {
    const before = this.#clock.monotonic() - this.#init.timeoutMs;
    if (this.#awakeSince > before) return;
    for (const [id, ask] of this.#inProcess) {
      if (ask.signAt > before) continue;
      this.#inProcess.delete(id);
      this.#lost.set(id, ask.question);
      this.#logger.warn({ question: ask.question, lost: this.#lost.size }, 'files in a store do not answer');
      if (ask.question.ask === 'look') this.#silentSectors.leaveOut(ask.question.sector);
      ask.resolve(undefined, this.#filesSilent);
    }
    if (this.#lost.size >= LOST_MAX) this.#replaceChild();
    this.#fill();
  }

  /** Many of its threads hang. */
  #replaceChild(): void {
    this.#endChild();
    this.#wasSilent = true;
    for (const ask of this.#inProcess.values()) this.#waiting.push(ask);
    this.#inProcess.clear();
    if (this.#abandoned >= ABANDONED_MAX) this.#hang('many of its files give no answer');
  }

  /** Where nothing else is under way, nobody knows whether it is the store that is silent. */
  #askForSign(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.#sendProbe(() => {
      this.#isProbing = false;
    });
  }

  #endChild(): void {
    this.#callOffLimit?.();
    this.#callOffLimit = undefined;
    this.#lost.clear();
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
    this.#lost.clear();
    const isSecond = this.#isTrial;
    this.#isTrial = false;
    if (this.#isClosed) return;
    if (!isSecond && this.#abandoned < ABANDONED_MAX && ++this.#strikes < STRIKES_MAX) {
      for (const ask of lost) {
        if (ask.isLast) ask.resolve(undefined, reason);
        else this.#waiting.push(ask);
        ask.isLast = true;
      }
      this.#try();
      return;
    }
    this.#hang(reason);
    for (const ask of lost) ask.resolve(undefined, reason);
  }

  #hang(reason: string): void {
    this.#strikes = 0;
    const isFull = this.#abandoned >= ABANDONED_MAX;
    const pauseMs = isFull ? Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS) : this.#init.timeoutMs;
    if (this.#abandoned < ABANDONED_MOST) this.#tryAfter(pauseMs);
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
    this.#sendProbe((answer) => {
      if (answer === undefined) return;
      this.#isTrial = false;
      const hung = this.#hangs !== undefined;
      this.#hangs = undefined;
      if (this.#abandoned < ABANDONED_MAX) this.#pauseMs = this.#init.timeoutMs;
      if (hung) this.#init.onChange?.(undefined);
    });
  }

  /** The least that may be asked. */
  #sendProbe(resolve: (answer: Answer | undefined) => void): void {
    const question = { ask: 'probe', canaries: [], canaryLimitMs: 0 } as const;
    this.#send({ question, isWanted: () => true, resolve, askedAt: 0, signAt: 0, isLast: true });
  }

  #giveUp(reason: string): void {
    for (const ask of [...this.#inProcess.values(), ...this.#waiting.takeAll()]) ask.resolve(undefined, reason);
    this.#inProcess.clear();
  }
}
