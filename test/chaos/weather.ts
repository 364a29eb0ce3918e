import type { Facts } from './facts.ts';
import type { Fault } from './inject.ts';

/** A slave that was cut off comes again, says hello and hears what was closed. */
const REJOIN_MS = 1_000;

/** When whom a fault kept from hearing or being heard. */
export class Weather {
  readonly #faults: readonly Fault[];
  readonly #probes: readonly { readonly asked: number; readonly at: number }[];

  constructor(facts: Pick<Facts, 'faults' | 'effects'>) {
    this.#faults = facts.faults;
    this.#probes = facts.effects.flatMap(({ what, asked, at }) =>
      what === 'probe' && asked !== undefined ? [{ asked, at }] : [],
    );
  }

  /** The end of the first `forMs` from `at` on in which nothing was wrong between the masters and this slave. */
  calmFor(slave: string, at: number, forMs: number): number {
    let calm = at;
    for (const fault of this.#faults.toSorted((a, b) => a.from - b.from)) {
      const until = this.over(fault);
      if ((fault.target === slave || isOfAll(fault)) && fault.from <= calm + forMs && until > calm) calm = until;
    }
    return calm + forMs;
  }

  /** The longest time between two answered questions, one of them within these bounds: how far behind an overloaded machine is. */
  longestSilence(from: number, until: number): number {
    const gaps = this.#probes.map(({ at }, index) => ({ from: this.#probes[index - 1]?.at ?? at, until: at }));
    const within = gaps.filter((gap) => gap.until >= from && gap.from <= until);
    return Math.max(0, ...within.map((gap) => gap.until - gap.from));
  }

  /** When a question that was asked of the masters after this moment was answered first. */
  servedAfter(from: number): number {
    return this.#probes.find(({ asked }) => asked > from)?.at ?? Number.POSITIVE_INFINITY;
  }

  /** When whom it concerned had the time to come again. */
  over(fault: Fault): number {
    return (isOfAll(fault) ? Math.max(fault.until, this.servedAfter(fault.until)) : fault.until) + REJOIN_MS;
  }
}

export function isOfAll({ kind }: Fault): boolean {
  return kind.startsWith('master') || kind.startsWith('database');
}
