import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CheckChild } from './check-child.ts';
import type { Answer, Look, Probe, Question } from './check-messages.ts';
import type { PersistStore } from './persist-store.ts';
import type { SectorFiles } from './sector-files.ts';

interface Ask {
  readonly question: Question;
  readonly isWanted: () => boolean;
  readonly resolve: (answer: Answer | undefined, trouble: string) => void;
}

/** Questions in the process at a time. */
const PARALLEL = 16;
/** Times that a process may fall silent or die before the questions that wait are given up. */
const STRIKES_MAX = 4;
/** Processes that were killed and hang on in the store. Each costs memory until its call returns. */
const ABANDONED_MAX = 4;
/** For Node to start on a busy machine. */
const START_LIMIT_MS = 20_000;

/**
 * Asks one store through a process of its own. When nothing is answered for `timeoutMs`, the questions in the process are answered
 * `unknown`, the process is killed and another takes over; a store that a fresh process gets nothing out of is given up at once.
 */
export class StoreWatch {
  readonly store: PersistStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #waiting: Ask[] = [];
  readonly #inProcess = new Map<number, Ask>();
  #child: CheckChild | undefined;
  #isReady = false;
  #hasAnswered = false;
  #isClosed = false;
  #lastId = 0;
  #strikes = 0;
  #abandoned = 0;
  #callOffLimit = () => {};

  constructor(
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    init: { readonly store: PersistStore; readonly timeoutMs: number },
  ) {
    this.store = init.store;
    this.#clock = clock;
    this.#logger = logger.child({ store: init.store.name });
    this.#timeoutMs = init.timeoutMs;
  }

  /** Never rejects. Where `isWanted` says no by the time it is this sector's turn, the finding is `unknown`. */
  look(files: SectorFiles, isWanted: () => boolean): Promise<Look> {
    return this.#ask({ ask: 'look', files }, isWanted, (answer, reason) => {
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
        return { filled: [], canariesAsked: canaries.length, canariesFound: 0, trouble };
      },
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#endChild();
    this.#giveUp('the check was ended');
  }

  #ask<T>(
    question: Question,
    isWanted: () => boolean,
    read: (answer: Answer | undefined, trouble: string) => T,
  ): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push({ question, isWanted, resolve: (answer, trouble) => resolve(read(answer, trouble)) });
      this.#fill();
    });
  }

  #fill(): void {
    while (this.#inProcess.size < PARALLEL) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (!next.isWanted()) {
        next.resolve(undefined, 'no longer wanted');
        continue;
      }
      const child = this.#runningChild();
      if (typeof child === 'string') {
        next.resolve(undefined, child);
        continue;
      }
      this.#inProcess.set(++this.#lastId, next);
      child.ask(this.#lastId, next.question);
    }
    if (this.#inProcess.size === 0 && this.#waiting.length === 0) this.#strikes = 0;
    this.#limit();
  }

  /** The process, started if need be, or why there is none. */
  #runningChild(): CheckChild | string {
    if (this.#child !== undefined) return this.#child;
    if (this.#isClosed) return 'the check was ended';
    if (this.#abandoned >= ABANDONED_MAX)
      return `the store does not answer, and ${this.#abandoned} processes hang in it`;
    this.#isReady = false;
    this.#hasAnswered = false;
    const child: CheckChild = new CheckChild(this.store.path, {
      onReady: () => {
        if (child !== this.#child) return;
        this.#isReady = true;
        this.#limit();
      },
      onAnswer: (id, answer) => {
        if (child === this.#child) this.#onAnswer(id, answer);
      },
      onExit: () => this.#onExit(child),
    });
    this.#logger.debug({ pid: child.pid }, 'check process started');
    this.#child = child;
    return child;
  }

  #onAnswer(id: number, answer: Answer): void {
    this.#hasAnswered = true;
    const ask = this.#inProcess.get(id);
    this.#inProcess.delete(id);
    ask?.resolve(answer, '');
    this.#fill();
  }

  #onExit(child: CheckChild): void {
    if (child !== this.#child) {
      this.#abandoned--;
      return;
    }
    this.#child = undefined;
    this.#logger.warn('check process ended by itself');
    this.#strike('the process that looked at the store ended', this.#isReady);
  }

  /** (Re)starts the time limit. */
  #limit(): void {
    this.#callOffLimit();
    this.#callOffLimit = () => {};
    if (this.#inProcess.size === 0) return;
    const ms = this.#isReady ? this.#timeoutMs : START_LIMIT_MS;
    this.#callOffLimit = this.#clock.after(ms, () => {
      const hadAnswered = this.#hasAnswered;
      this.#logger.warn({ unanswered: this.#inProcess.size, afterMs: ms }, 'store does not answer');
      this.#endChild();
      this.#strike(`the store gave no answer within ${ms} ms`, hadAnswered);
    });
  }

  #endChild(): void {
    this.#callOffLimit();
    if (this.#child === undefined) return;
    this.#abandoned++;
    const child = this.#child;
    this.#child = undefined;
    child.kill();
  }

  #strike(reason: string, worthAnother: boolean): void {
    const lost = [...this.#inProcess.values()];
    this.#inProcess.clear();
    for (const ask of lost) ask.resolve(undefined, reason);
    this.#strikes++;
    if (!worthAnother || this.#strikes >= STRIKES_MAX) this.#giveUp(reason);
    this.#fill();
  }

  #giveUp(reason: string): void {
    for (const ask of [...this.#inProcess.values(), ...this.#waiting.splice(0)]) ask.resolve(undefined, reason);
    this.#inProcess.clear();
  }
}
