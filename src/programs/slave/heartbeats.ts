import type { Clock } from '../../clock/clock.ts';
import { Gate } from '../../clock/gate.ts';
import { errorText } from '../../errors/coded-error.ts';
import type { RpcClient } from '../../rpc/rpc-client.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Workshop } from './workshop.ts';

export interface HeartbeatsInit {
  /** While attempts are held. */
  readonly busyIntervalMs: number;
  /** The safety net of a slave with nothing to do: free slots are told again. */
  readonly idleIntervalMs: number;
}

const CALL_LIMIT_MS = 10_000;

/** Tells the master, in one call for all, of attempts and free slots: at intervals, and at once when slots change. */
export class Heartbeats {
  readonly #components: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly client: RpcClient;
    readonly workshop: Workshop;
  };
  readonly #init: HeartbeatsInit;
  readonly #wake: Gate;
  #busyLimitMs = Number.POSITIVE_INFINITY;

  constructor(
    components: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly client: RpcClient;
      readonly workshop: Workshop;
    },
    init: HeartbeatsInit,
  ) {
    this.#components = components;
    this.#init = init;
    this.#wake = new Gate(components);
  }

  wake(): void {
    this.#wake.open();
  }

  /** Three heartbeats fit into the master's time-out, whatever the interval of the configuration. */
  fitInto(heartbeatTimeoutMs: number): void {
    this.#busyLimitMs = heartbeatTimeoutMs / 3;
  }

  /** Beats until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, workshop } = this.#components;
    const wake = (): void => this.wake();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted) {
      if (client.isConnected) await this.#beat();
      const { busyIntervalMs, idleIntervalMs } = this.#init;
      const busy = workshop.attempts.length > 0;
      await this.#wake.wait(busy ? Math.min(busyIntervalMs, this.#busyLimitMs) : idleIntervalMs);
      this.#wake.shut();
    }
  }

  async #beat(): Promise<void> {
    const { client, workshop, logger } = this.#components;
    const { attempts, freeSlots } = workshop;
    try {
      const answer = await client.call('slave.heartbeat', { attempts, free: freeSlots }, { timeoutMs: CALL_LIMIT_MS });
      for (const closed of answer.closed) workshop.drop(closed, 'the master has closed it');
    } catch (error) {
      logger.warn({ error: errorText(error) }, 'heartbeat failed');
    }
  }
}
