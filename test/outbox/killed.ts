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
    const effect = <T>(value: T) => this.#effect(value);
    this.chain = new Proxy(chain, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== 'function') return call;
        return async (...args: unknown[]) => effect(await Reflect.apply(call, target, args));
      },
    });
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => effect(result),
    };
    this.db = { kysely: db.kysely.withPlugin(plugin) };
  }

  async #effect<T>(value: T): Promise<T> {
    if (++this.#effects < this.#atEffect) return value;
    this.#kill();
    return await new Promise<never>(() => {});
  }
}
