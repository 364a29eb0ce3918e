import type { MysqlPool } from 'kysely';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DatabaseAddress } from './database-url.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { type PoolInit, ServerPool } from './server-pool.ts';

/**
 * Connections to one of several servers of a database: to the same one as long as it works, else to the next that does. What was
 * under way on the one that was left fails with `database-unavailable`.
 */
export class Pool implements MysqlPool {
  readonly #logger: Logger;
  readonly #servers: readonly ServerPool[];
  #current = 0;

  /** @throws CodedError `bad-database-url` */
  constructor(components: { readonly logger: Logger }, addresses: readonly DatabaseAddress[], init: PoolInit) {
    this.#logger = components.logger;
    this.#servers = addresses.map(
      (address, index) => new ServerPool(address, { ...init, onGone: () => this.#leave(index) }),
    );
  }

  getConnection(done: (error: unknown, connection: PooledConnection) => void): void {
    this.#acquire().then(
      (connection) => done(null, connection),
      // Kysely does not look at the second argument then.
      (error: unknown) => (done as (error: unknown) => void)(error),
    );
  }

  end(done: (error: unknown) => void): void {
    Promise.all(this.#servers.map((server) => server.close())).then(() => done(null), done);
  }

  async #acquire(): Promise<PooledConnection> {
    const first = this.#current;
    const errors: unknown[] = [];
    for (let step = 0; step < this.#servers.length; step++) {
      const index = (first + step) % this.#servers.length;
      try {
        const connection = await this.#server(index).acquire();
        if (step > 0 && this.#current === first) this.#goTo(index, errorText(errors.at(-1)));
        return connection;
      } catch (error) {
        errors.push(error);
      }
    }
    throw allFailed(errors);
  }

  #leave(index: number): void {
    if (index !== this.#current || this.#servers.length === 1) return;
    this.#goTo((index + 1) % this.#servers.length, `${this.#server(index).where} takes no statements`);
  }

  #goTo(index: number, reason: string): void {
    this.#current = index;
    this.#logger.warn({ database: this.#server(index).where, reason }, 'going on with another database server');
  }

  #server(index: number): ServerPool {
    const server = this.#servers[index];
    if (server === undefined) throw new CodedError('bad-database-url', 'no database url is given; set db.url');
    return server;
  }
}

/** Of several, one that may come back decides. */
function allFailed(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const hopeful = errors.some((error) => errorCode(error) === 'database-unavailable');
  const code = hopeful ? 'database-unavailable' : (errorCode(errors[0]) ?? 'database-unavailable');
  return new CodedError(code, `no database server can be used: ${errors.map(errorText).join('; ')}`);
}
