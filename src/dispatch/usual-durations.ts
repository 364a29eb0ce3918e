/** Weight of the newest proof. */
const NEWEST = 0.2;

/** How long proofs take, by the kind of task: the moving average of those that were verified. */
export class UsualDurations {
  readonly #averages = new Map<string, number>();

  record(kind: string, ms: number): void {
    const average = this.#averages.get(kind) ?? ms;
    this.#averages.set(kind, average + NEWEST * (ms - average));
  }

  /** undefined: none was made yet. */
  of(kind: string): number | undefined {
    return this.#averages.get(kind);
  }
}
