import type { Clock } from '../clock/clock.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Since when every statement was answered. While the database was away no heartbeat could be kept, so leases that look silent
 * afterwards are not: nobody is judged before the slaves had their time again.
 */
export class DatabaseHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #healthySince: number | undefined;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }) {
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

  async watch<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      if (this.#healthySince === undefined) {
        this.#healthySince = this.#clock.monotonic();
        this.#logger.info('database answers again');
      }
      return result;
    } catch (error) {
      if (errorCode(error) === 'database-unavailable') {
        if (this.#healthySince !== undefined)
          this.#logger.warn({ error: errorText(error) }, 'database does not answer');
        this.#healthySince = undefined;
      }
      throw error;
    }
  }
}
