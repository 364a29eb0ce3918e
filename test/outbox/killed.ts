import type { KyselyPlugin } from 'kysely';
import type { Chain } from '../../src/chain/chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { Database } from '../../src/database/database.ts';
import type { Messager } from '../../src/outbox/messager.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** A process that is killed right after its `atEffect`th call, statement or commit took effect: nothing of it ever goes on. */
export class KilledProcess {
  readonly killed: Promise<void>;
  readonly chain: Chain;
  readonly db: Pick<Database, 'kysely' | 'transaction'>;
  readonly #atEffect: number;
  #effects = 0;
  #kill: () => void = () => {};

  constructor(chain: Chain, db: Database, atEffect: number) {
    this.#atEffect = atEffect;
    this.killed = new Promise((resolve) => {
      this.#kill = resolve;
    });
    this.chain = this.#mortal(chain);
    // A statement that hung would keep its connection, which a killed process does not.
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => {
        this.#dieIfDead();
        return node;
      },
      transformResult: async ({ result }) => {
        if (this.#count()) throw new Error('the process was killed');
        return result;
      },
    };
    const watched = new Database(
      { clock: systemClock, logger: silentLogger },
      { kysely: db.kysely.withPlugin(plugin) },
    );
    this.db = {
      kysely: watched.kysely,
      transaction: async (work) => {
        this.#dieIfDead();
        const result = await watched.transaction(work);
        if (this.#count()) throw new Error('the process was killed after a commit');
        return result;
      },
    };
  }

  messager(messager: Messager): Messager {
    return this.#mortal(messager);
  }

  #mortal<T extends object>(service: T): T {
    return new Proxy(service, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== 'function') return call;
        return async (...args: unknown[]) => {
          this.#dieIfDead();
          const answer: unknown = await Reflect.apply(call, target, args);
          return this.#count() ? new Promise(() => {}) : answer;
        };
      },
    });
  }

  #dieIfDead(): void {
    if (this.#effects >= this.#atEffect) throw new Error('the process is dead');
  }

  /** Whether this effect was the last one. */
  #count(): boolean {
    if (++this.#effects < this.#atEffect) return false;
    this.#kill();
    return true;
  }
}
