import type { Clock } from '../../clock/clock.ts';
import { Gate } from '../../clock/gate.ts';
import { errorText } from '../../errors/coded-error.ts';
import { type Heartbeat, type HelloAnswer, RPC_VERSION } from '../../rpc/methods.ts';
import type { RpcClient } from '../../rpc/rpc-client.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Workshop } from './workshop.ts';

export interface HeartbeatsInit {
  /** With or without attempts: one may come meanwhile, and its first beat is due as soon as any other. */
  readonly intervalMs: number;
}

const CALL_LIMIT_MS = 10_000;
/** Quick proofs change slots hundreds of times a second. */
const SETTLE_MS = 20;

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
  #longestMs = Number.POSITIVE_INFINITY;
  #masterVersion = RPC_VERSION;

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
  suit({ version, heartbeatTimeoutMs }: HelloAnswer): void {
    this.#longestMs = heartbeatTimeoutMs / 3;
    this.#masterVersion = version;
  }

  /** Beats until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#components;
    const wake = (): void => this.wake();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted) {
      if (client.isConnected) await this.#beat();
      await this.#wake.wait(Math.min(this.#init.intervalMs, this.#longestMs));
      // What changes together is told together, and after the outcomes that freed the slots.
      await clock.sleep(SETTLE_MS);
      this.#wake.shut();
    }
  }

  async #beat(): Promise<void> {
    const { client, workshop, logger } = this.#components;
    const attempts = this.#masterVersion === 1 ? workshop.attempts.map(asOfVersion1) : workshop.attempts;
    try {
      const answer = await client.call(
        'slave.heartbeat',
        { attempts, free: workshop.freeSlots },
        { timeoutMs: CALL_LIMIT_MS },
      );
      for (const closed of answer.closed) void workshop.drop(closed, 'the master has closed it');
    } catch (error) {
      logger.warn({ error: errorText(error) }, 'heartbeat failed');
    }
  }
}

/** That version knows no waiting for memory. */
function asOfVersion1(beat: Heartbeat): Heartbeat {
  return beat.phase === 'waiting' ? { ...beat, phase: 'reading' } : beat;
}
