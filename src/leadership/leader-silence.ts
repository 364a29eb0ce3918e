import type { LeadershipView } from './leadership-row.ts';

/**
 * For how long a leader has not written that it lives, counted by whoever stands by on a steady clock of its own: what the leader
 * wrote does not change. The database's clock alone would not do, since it may be set, or be another node's: one that was set back
 * makes the last sign of a dead leader lie in the future. It only says how old a sign was when it was found, as far as the time
 * between two looks bears that out.
 */
export class LeaderSilence {
  readonly #longestBelievedMs: number;
  #sign = '';
  #since = 0;

  /** @param longestBelievedMs how old the database's clock may make a sign that is met without a look shortly before */
  constructor(longestBelievedMs: number) {
    this.#longestBelievedMs = longestBelievedMs;
  }

  /**
   * @param at of the look, on the steady clock
   * @param gapMs since the look before; undefined where that was none, or too long ago to say that the leader could write meanwhile
   * @returns null when there is no leader
   */
  observe({ epoch, leader, seenAt, now }: LeadershipView, at: number, gapMs: number | undefined): number | null {
    const sign = `${epoch} ${leader} ${seenAt}`;
    if (sign !== this.#sign || gapMs === undefined) {
      this.#sign = sign;
      const age = now - (seenAt ?? now);
      this.#since = at - Math.min(Math.max(age, 0), gapMs ?? this.#longestBelievedMs);
    }
    return seenAt === null ? null : at - this.#since;
  }
}
