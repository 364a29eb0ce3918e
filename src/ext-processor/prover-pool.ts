import type { Clock } from '../clock/clock.ts';
import { untilAborted } from '../clock/until-aborted.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
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
  /** Requests that wait are taken in this order. */
  readonly closeAt: number;
  /** Takes an output, or throws where it is none: another child is asked then. */
  readonly accept: (output: unknown) => Promise<T>;
  readonly onStart?: (child: string) => void;
}

/** One request of a child, from the moment it is chosen until it has answered or ended, though perhaps nobody waits any more. */
interface Place {
  readonly child: Child;
  isAbandoned: boolean;
}

interface Child {
  readonly name: string;
  readonly concurrent: number;
  readonly weight: number;
  readonly keeper: ProverKeeper;
  readonly places: Set<Place>;
  /** Of the smooth weighted round: who has waited longest for its share has most. */
  credit: number;
}

interface Waiting {
  readonly closeAt: number;
  readonly tried: ReadonlySet<Child>;
  readonly give: (place: Place | undefined) => void;
}

/** A request that has seen so many children die is not asked any further. */
const MOST_DEATHS = 3;

/** Several children of the line protocol, each kept running: a request goes to one that is free, by weight, and to another when it fails. */
export class ProverPool {
  readonly #logger: Logger;
  readonly #onChange: () => void;
  readonly #children: readonly Child[];
  readonly #waiting = new Set<Waiting>();

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger },
    init: {
      readonly stage: string;
      readonly children: readonly PoolChildInit[];
      /** `slots` is another number now. */
      readonly onChange?: () => void;
    },
  ) {
    this.#logger = components.logger;
    this.#onChange = init.onChange ?? (() => {});
    this.#children = init.children.map(({ concurrent, weight, ...child }, index) => ({
      name: `${child.bin} #${index + 1}`,
      concurrent,
      weight,
      credit: 0,
      places: new Set(),
      keeper: new ProverKeeper(components, { ...child, stage: init.stage, onChange: () => this.#changed() }),
    }));
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
    const { signal, closeAt, accept, onStart } = request;
    const tried = new Set<Child>();
    let failure: unknown;
    for (let deaths = 0; ; ) {
      signal.throwIfAborted();
      const place = await this.#free(closeAt, tried, signal);
      if (place === undefined) throw failure;
      const { child } = place;
      onStart?.(child.name);
      try {
        return await accept(await this.#ask(place, task, signal));
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
        this.#logger.warn({ child: child.name, error: errorText(error) }, 'a prover failed a request');
        // It comes back, and may be the only one.
        if (errorCode(error) !== 'prover-exited' || ++deaths >= MOST_DEATHS) tried.add(child);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(({ keeper }) => keeper.close()));
  }

  /** Of a child that is free now or later; undefined where all that run were tried. */
  async #free(closeAt: number, tried: ReadonlySet<Child>, signal: AbortSignal): Promise<Place | undefined> {
    let onAbort = (): void => {};
    try {
      return await new Promise<Place | undefined>((resolve, reject) => {
        const waiting: Waiting = {
          closeAt,
          tried,
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

  async #ask(place: Place, task: object, signal: AbortSignal): Promise<unknown> {
    const { child } = place;
    // There is no cancel message: its place is taken until the child has answered or ended, whoever still waits.
    const answer = child.keeper.request<unknown>(task).finally(() => {
      child.places.delete(place);
      this.#assign();
    });
    const abandon = async (): Promise<never> => {
      await untilAborted(signal);
      place.isAbandoned = true;
      if (child.places.has(place) && [...child.places].every(({ isAbandoned }) => isAbandoned)) {
        void child.keeper.restart();
      }
      throw signal.reason;
    };
    return await Promise.race([answer, abandon()]);
  }

  #changed(): void {
    this.#assign();
    this.#onChange();
  }

  #assign(): void {
    for (const waiting of [...this.#waiting].sort((a, b) => a.closeAt - b.closeAt)) {
      const running = this.#children.filter((child) => child.keeper.isReady && !waiting.tried.has(child));
      if (running.length === 0 && waiting.tried.size > 0) waiting.give(undefined);
      const child = pick(running.filter(({ places, concurrent }) => places.size < concurrent));
      if (child === undefined) continue;
      const place = { child, isAbandoned: false };
      child.places.add(place);
      waiting.give(place);
    }
  }
}

/** Smooth weighted round: of children that are always free each gets its share, and never many in a row. */
function pick(free: readonly Child[]): Child | undefined {
  for (const child of free) child.credit += child.weight;
  const chosen = free.toSorted((a, b) => b.credit - a.credit)[0];
  if (chosen !== undefined) chosen.credit -= free.reduce((sum, { weight }) => sum + weight, 0);
  return chosen;
}
