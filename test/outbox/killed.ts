import type { Kysely, KyselyPlugin } from 'kysely';
import type { Chain } from '../../src/chain/chain.ts';
import type { Database } from '../../src/database/database.ts';
import type { Schema } from '../../src/database/schema.ts';

/** A process that is killed right after its `atEffect`th call or statement took effect: nothing of it ever goes on. */
export class KilledProcess {
  readonly killed: Promise<void>;
  readonly chain: Chain;
  readonly db: { readonly kysely: Kysely<Schema> };
  readonly #atEffect: number;
  #effects = 0;
  #kill: () => void = () => {};

  constructor(chain: Chain, db: Database, atEffect: number) {
    this.#atEffect = atEffect;
    this.killed = new Promise((resolve) => {
      this.#kill = resolve;
    });
    this.chain = new Proxy(chain, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== 'function') return call;
        return async (...args: unknown[]) => {
          const answer: unknown = await Reflect.apply(call, target, args);
          return this.#count() ? new Promise(() => {}) : answer;
        };
      },
    });
    // A statement that hung would keep its connection, which a killed process does not.
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => {
        if (this.#effects >= this.#atEffect) throw new Error('the process is dead');
        return node;
      },
      transformResult: async ({ result }) => {
        if (this.#count()) throw new Error('the process was killed');
        return result;
      },
    };
    this.db = { kysely: db.kysely.withPlugin(plugin) };
  }

  /** Whether this effect was the last one. */
  #count(): boolean {
    if (++this.#effects < this.#atEffect) return false;
    this.#kill();
    return true;
  }
}
