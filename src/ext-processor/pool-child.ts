import type { ProverKeeper } from './prover-keeper.ts';

/** One request of a child, from the moment it is chosen until it has answered or ended, though perhaps nobody waits any more. */
export interface Place {
  readonly child: PoolChild;
  isAbandoned: boolean;
  /** It takes so long that another child may be asked as well. */
  isOverdue: boolean;
  /** Calls off what makes it overdue. */
  callOff: () => void;
}

/** From this share of its places on, a child that has lost them is emptied to get them back. */
const LOST_SHARE = 1 / 4;

/**
 * A child of a pool and its places. There is no cancel message: a place is taken until the child has answered or ended, so one whose
 * request hangs comes back with the next start only.
 */
export class PoolChild {
  readonly name: string;
  readonly concurrent: number;
  readonly weight: number;
  readonly keeper: ProverKeeper;
  /** Of the smooth weighted round: who has waited longest for its share has most. */
  credit = 0;
  readonly #places = new Set<Place>();

  constructor(
    components: { readonly keeper: ProverKeeper },
    init: { readonly name: string; readonly concurrent: number; readonly weight: number },
  ) {
    this.keeper = components.keeper;
    this.name = init.name;
    this.concurrent = init.concurrent;
    this.weight = init.weight;
  }

  get hasRoom(): boolean {
    return this.#places.size < this.concurrent;
  }

  /** Nothing that it works at takes long. */
  get isSound(): boolean {
    return ![...this.#places].some(({ isOverdue }) => isOverdue);
  }

  /** Too many of its places are lost: what can wait is given to it after its next start. */
  get isEmptied(): boolean {
    const lost = [...this.#places].filter(({ isAbandoned, isOverdue }) => isAbandoned && isOverdue).length;
    return lost > 0 && lost >= this.concurrent * LOST_SHARE;
  }

  take(): Place {
    const place: Place = { child: this, isAbandoned: false, isOverdue: false, callOff: () => {} };
    this.#places.add(place);
    return place;
  }

  /** It has answered, or ended. */
  leave(place: Place): void {
    place.callOff();
    this.#places.delete(place);
  }

  /** Nobody waits for it any more. */
  abandon(place: Place): void {
    place.isAbandoned = true;
    this.restartIfUnwanted();
  }

  /** Where it works, and for nobody any more. */
  restartIfUnwanted(): void {
    if (this.#places.size > 0 && [...this.#places].every(({ isAbandoned }) => isAbandoned)) void this.keeper.restart();
  }
}

/** Smooth weighted round: of children that are always free each gets its share, and never many in a row. */
export function pickChild(free: readonly PoolChild[]): PoolChild | undefined {
  for (const child of free) child.credit += child.weight;
  const chosen = free.toSorted((a, b) => b.credit - a.credit)[0];
  if (chosen !== undefined) chosen.credit -= free.reduce((sum, { weight }) => sum + weight, 0);
  return chosen;
}
