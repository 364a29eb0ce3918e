import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';

/** Looks at single files that may hang though their store answers. Each is asked for once at a time. */
export class CanaryLooks<T> {
  readonly #clock: Clock;
  readonly #underWay = new Map<string, Promise<T>>();
  readonly #late = new Set<string>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** Undefined where there is no answer in time, and at once where there was none before and is none yet. */
  async look(path: string, limitMs: number, look: () => Promise<T>): Promise<T | undefined> {
    if (this.#late.has(path)) return undefined;
    let looking = this.#underWay.get(path);
    if (looking === undefined) {
      looking = look().finally(() => {
        this.#underWay.delete(path);
        this.#late.delete(path);
      });
      this.#underWay.set(path, looking);
    }
    return await withTimeLimit(this.#clock, limitMs, path, looking).catch(() => {
      if (this.#underWay.has(path)) this.#late.add(path);
      return undefined;
    });
  }
}
