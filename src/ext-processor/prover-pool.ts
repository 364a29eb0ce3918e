import type { Clock } from '../clock/clock.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { assumedWindowPace, MeasuredPace, type ProofPace, patienceFor } from './patience.ts';
import { type Place, PoolChild, pickChild } from './pool-child.ts';
import { ProverKeeper } from './prover-keeper.ts';

export interface PoolChildInit {
  readonly bin: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly readyTimeoutMs: number;
  /** Requests it is given at the same time. */
  readonly concurrent: number;
  /** Its share of the requests, against the others' weights. */
  readonly weight: number;
}

export interface PoolRequest<T> {
  /** Ends the request: its child is killed as soon as nobody waits for anything of it. */
  readonly signal: AbortSignal;
  /** Wall clock, milliseconds. Requests that wait are taken in this order. */
  readonly closeAt: number;
  /** Takes an output, or throws where it is none: another child is asked then. */
  readonly accept: (output: unknown) => Promise<T>;
  readonly onStart?: (child: string) => void;
}

/** One request, while one child or several work at it. */
interface Effort<T> {
  readonly task: object;
  readonly request: PoolRequest<T>;
  readonly signal: AbortSignal;
  /** They failed at it. */
  readonly tried: Set<PoolChild>;
  /** They work at it now. */
  readonly busy: Set<PoolChild>;
  deaths: number;
  /** How often another child was asked as well. */
  extra: number;
}

interface Waiting {
  readonly closeAt: number;
  readonly tried: ReadonlySet<PoolChild>;
  readonly busy: Set<PoolChild>;
  readonly give: (place: Place | undefined) => void;
}

/** A request that has seen so many children die is not asked any further. */
const MOST_DEATHS = 3;
/** A task that stops whoever works at it must not stop all. */
const MOST_EXTRA = 2;

/**
 * Several children of the line protocol, each kept running: a request goes to one that is free, by weight, and to another when it
 * fails, or beside it when it takes long.
 */
export class ProverPool {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onChange: () => void;
  readonly #assumed: (leftMs: number) => ProofPace;
  readonly #measured = new MeasuredPace();
  readonly #children: readonly PoolChild[];
  readonly #waiting = new Set<Waiting>();

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger },
    init: {
      readonly stage: string;
      readonly children: readonly PoolChildInit[];
      /** How long proofs take, while too few were made to know. Default: those of window PoSt. */
      readonly assumed?: (leftMs: number) => ProofPace;
      /** `slots` is another number now. */
      readonly onChange?: () => void;
    },
  ) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#onChange = init.onChange ?? (() => {});
    this.#assumed = init.assumed ?? assumedWindowPace;
    this.#children = init.children.map(({ concurrent, weight, ...child }, index) => {
      const name = `${child.bin} #${index + 1}`;
      const onChange = (): void => this.#changed();
      const keeper = new ProverKeeper(components, { ...child, stage: init.stage, onChange });
      return new PoolChild({ keeper }, { name, concurrent, weight });
    });
  }

  /** Requests that those that are ready take at the same time. */
  get slots(): number {
    return this.#children.reduce((sum, { keeper, concurrent }) => sum + (keeper.isReady ? concurrent : 0), 0);
  }

  /**
   * Resolves when each child is ready or has failed to start; those that failed are tried again.
   * @throws CodedError `no-ext-prover` where none is ready, with each one's reason
   */
  async start(): Promise<void> {
    await Promise.all(this.#children.map(({ keeper }) => keeper.firstStart));
    const reasons: string[] = [];
    for (const { name, keeper } of this.#children) {
      const reason = await keeper.untilReady(0).catch(errorText);
      if (reason === undefined) continue;
      this.#logger.error({ child: name, reason }, 'a prover of ext-prover.cfg does not start');
      reasons.push(`${name}: ${reason}`);
    }
    if (reasons.length < this.#children.length) return;
    throw new CodedError('no-ext-prover', `no prover of ext-prover.cfg starts: ${reasons.join('; ')}`);
  }

  /**
   * @param task an object, or its JSON in UTF-8
   * @throws CodedError what the last child that was asked failed with, or the signal's reason
   */
  async prove<T>(task: object, request: PoolRequest<T>): Promise<T> {
    const over = new AbortController();
    const onAbort = (): void => over.abort(request.signal.reason);
    request.signal.throwIfAborted();
    request.signal.addEventListener('abort', onAbort, { once: true });
    const { signal } = over;
    try {
      return await this.#inTurn({ task, request, signal, tried: new Set(), busy: new Set(), deaths: 0, extra: 0 });
    } finally {
      request.signal.removeEventListener('abort', onAbort);
      over.abort(new CodedError('answered', 'another child has answered'));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(({ keeper }) => keeper.close()));
  }

  /** Asks one child after the other until one has an answer. */
  async #inTurn<T>(effort: Effort<T>): Promise<T> {
    const { request, signal, tried } = effort;
    for (let failure: unknown; ; ) {
      signal.throwIfAborted();
      const place = await this.#free(request.closeAt, effort);
      if (place === undefined) throw failure;
      const { child } = place;
      request.onStart?.(child.name);
      try {
        return await this.#patiently(place, effort);
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
        this.#logger.warn({ child: child.name, error: errorText(error) }, 'a prover failed a request');
        // It comes back, and may be the only one.
        if (errorCode(error) !== 'prover-exited' || ++effort.deaths >= MOST_DEATHS) tried.add(child);
      }
    }
  }

  /** The answer of this child, or of another one that is asked as well when this one takes too long: whichever comes first. */
  #patiently<T>(place: Place, effort: Effort<T>): Promise<T> {
    const { child } = place;
    const { request, signal } = effort;
    const since = this.#clock.monotonic();
    const left = request.closeAt - this.#clock.now();
    const patience = patienceFor(left, this.#pace(left));
    const asked = this.#ask(place, effort).then(async (output) => {
      const answer = await request.accept(output);
      this.#measured.add(this.#clock.monotonic() - since);
      return answer;
    });
    if (patience === undefined) return asked;
    const { askAnotherMs, giveUpMs } = patience;
    return new Promise((resolve, reject) => {
      let others: Promise<T> | undefined;
      const askAnother = (): void => {
        place.isOverdue = true;
        if (signal.aborted || ++effort.extra > MOST_EXTRA) return;
        this.#logger.warn({ child: child.name, askAnotherMs }, 'a prover takes long, another one is asked as well');
        others = this.#inTurn(effort);
        others.then(resolve, () => {});
      };
      const giveUp = (): void => {
        if (signal.aborted) return;
        this.#logger.error({ child: child.name, giveUpMs }, 'a prover hangs, nobody waits for it any more');
        effort.busy.delete(child);
        child.abandon(place);
        this.#assign();
      };
      // Until the place is left: it may hang on when another child has answered or the deadline has closed.
      place.callOff = this.#clock.after(askAnotherMs, askAnother);
      const dontGiveUp = giveUpMs === undefined ? () => {} : this.#clock.after(giveUpMs, giveUp);
      asked
        .then(resolve, (error) => {
          if (others === undefined) reject(error);
          else others.then(resolve, () => reject(error));
        })
        .finally(dontGiveUp);
    });
  }

  /** Of a child that is free now or later; undefined where all that run were tried. */
  async #free<T>(closeAt: number, { tried, busy, signal }: Effort<T>): Promise<Place | undefined> {
    let onAbort = (): void => {};
    try {
      return await new Promise<Place | undefined>((resolve, reject) => {
        const waiting: Waiting = {
          closeAt,
          tried,
          busy,
          give: (place) => {
            this.#waiting.delete(waiting);
            resolve(place);
          },
        };
        onAbort = () => {
          this.#waiting.delete(waiting);
          reject(signal.reason);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        this.#waiting.add(waiting);
        this.#assign();
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #ask<T>(place: Place, { task, signal, busy }: Effort<T>): Promise<unknown> {
    const { child } = place;
    const leave = (): void => {
      child.leave(place);
      this.#assign();
      child.restartIfUnwanted();
    };
    const failed = (error: unknown): never => {
      busy.delete(child);
      leave();
      throw error;
    };
    const answer = child.keeper.request<unknown>(task).then((output) => {
      // Still busy for this request, which may wait for another child as well: it needs none any more.
      leave();
      return output;
    }, failed);
    let onAbort = (): void => {};
    const abandoned = new Promise<never>((_, reject) => {
      onAbort = () => {
        child.abandon(place);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      if (signal.aborted) onAbort();
      return await Promise.race([answer, abandoned]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #pace(leftMs: number): ProofPace {
    return this.#measured.pace ?? this.#assumed(leftMs);
  }

  #changed(): void {
    this.#assign();
    this.#onChange();
  }

  #assign(): void {
    // What no child works at yet goes first where both close together.
    const inOrder = [...this.#waiting].sort((a, b) => a.closeAt - b.closeAt || a.busy.size - b.busy.size);
    for (const waiting of inOrder) {
      const running = this.#children.filter((child) => child.keeper.isReady && !waiting.tried.has(child));
      if (running.length === 0 && waiting.tried.size > 0) waiting.give(undefined);
      const canWait = this.#canWait(waiting);
      const free = running.filter(
        (child) => !waiting.busy.has(child) && child.hasRoom && !(canWait && child.isEmptied),
      );
      const sound = free.filter(({ isSound }) => isSound);
      const child = pickChild(sound.length > 0 ? sound : free);
      if (child === undefined) continue;
      waiting.busy.add(child);
      waiting.give(child.take());
    }
  }

  /** For a child to end what it works at and to start again, and for the proof then. */
  #canWait({ closeAt }: Waiting): boolean {
    const left = closeAt - this.#clock.now();
    return left > 3 * this.#pace(left).slow;
  }
}
