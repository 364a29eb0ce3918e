import { endOfTurn } from '../clock/end-of-turn.ts';
import { errorCode } from '../errors/coded-error.ts';
import { isDatabaseTrouble } from './database-errors.ts';

export interface GroupCommitInit<I, O> {
  /** Carries out a group as one transaction; the results in the order of the items. */
  readonly run: (items: readonly I[]) => Promise<readonly O[]>;
  readonly maxItems: number;
  /** Of one group; an item that is larger goes alone. Default: no limit. */
  readonly maxBytes?: number;
  readonly bytesOf?: (item: I) => number;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits together what comes together: a lone item starts at once, and what comes while a group is under way forms the next one.
 * A group that fails is run again item by item, so that a poisoned item costs only itself.
 */
export class GroupCommit<I, O> {
  readonly #init: GroupCommitInit<I, O>;
  #waiting: Waiting<I, O>[] = [];
  #running: Promise<void> | undefined;

  constructor(init: GroupCommitInit<I, O>) {
    this.#init = init;
  }

  /** @throws what `run` throws for this item alone, or for the group where that concerns all */
  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What the connections bring in one turn is one group.
      await endOfTurn();
      await this.#commit(this.#nextGroup());
    }
    this.#running = undefined;
  }

  #nextGroup(): Waiting<I, O>[] {
    const { maxItems, maxBytes = Number.POSITIVE_INFINITY, bytesOf } = this.#init;
    let count = 0;
    let bytes = 0;
    for (const { item } of this.#waiting) {
      bytes += bytesOf?.(item) ?? 0;
      if (count === maxItems || (count > 0 && bytes > maxBytes)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(group: readonly Waiting<I, O>[]): Promise<void> {
    try {
      await this.#settle(group);
    } catch (error) {
      if (group.length === 1 || isOfAll(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      for (const one of group) await this.#settle([one]).catch(one.reject);
    }
  }

  async #settle(group: readonly Waiting<I, O>[]): Promise<void> {
    const results = await this.#init.run(group.map(({ item }) => item));
    if (results.length !== group.length) throw new TypeError('a group has a result for each item');
    for (const [index, { resolve }] of group.entries()) resolve(results[index] as O);
  }
}

/** Each item alone would fail by it, too. */
function isOfAll(error: unknown): boolean {
  return errorCode(error) === 'not-leading' || isDatabaseTrouble(error);
}
