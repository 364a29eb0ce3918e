import type { Clock } from '../clock/clock.ts';
import { isDatabaseTrouble } from '../database/database-errors.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { DatabaseClock } from './database-clock.ts';

/** Heartbeats come several times in a lease; an answer or a clock that is off by more than this says nothing about slaves. */
const TOLERANCE_MS = 2_000;

/**
 * Since when every statement was answered, in time, by a steady clock. While the database was away no heartbeat could be kept, so
 * leases that look silent afterwards are not: nobody is judged before the slaves had their time again.
 */
export class DatabaseHealth {
  readonly clock: DatabaseClock;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #logger: Logger;
  #healthySince: number | undefined;

  constructor(components: { readonly clock: Pick<Clock, 'now' | 'monotonic'>; readonly logger: Logger }) {
    this.clock = new DatabaseClock(components);
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#healthySince = this.#clock.monotonic();
  }

  healthyForMs(): number {
    return this.#healthySince === undefined ? 0 : this.#clock.monotonic() - this.#healthySince;
  }

  /** This process itself may have stood still. */
  restart(): void {
    if (this.#healthySince !== undefined) this.#healthySince = this.#clock.monotonic();
  }

  /**
   * A clock of the database (`databaseNow`) that a statement brought, asked for at `askedAt` of our monotonic one. A server that
   * stood still, a clock that was set, another node of a cluster with a clock of its own: all leases begin anew.
   */
  observeClock(databaseNow: number, askedAt: number): void {
    const tookMs = this.#clock.monotonic() - askedAt;
    const jumpMs = this.clock.observe(databaseNow, askedAt);
    if (tookMs <= TOLERANCE_MS && Math.abs(jumpMs) <= TOLERANCE_MS) return;
    this.#logger.warn({ tookMs, jumpMs }, 'database stood still or its clock jumped');
    this.restart();
  }

  async watch<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      if (this.#healthySince === undefined) {
        this.#healthySince = this.#clock.monotonic();
        this.#logger.info('database answers again');
      }
      return result;
    } catch (error) {
      if (isDatabaseTrouble(error)) {
        if (this.#healthySince !== undefined)
          this.#logger.warn({ error: errorText(error) }, 'database does not answer');
        this.#healthySince = undefined;
      }
      throw error;
    }
  }
}
