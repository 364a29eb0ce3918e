import type { Clock } from '../clock/clock.ts';
import { Gate } from '../clock/gate.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ProverProcess, type ProverProcessInit } from './prover-process.ts';
import type { RequestOptions } from './requests-in-flight.ts';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
/** A child that lived this long was sound, so its end starts the pauses anew. */
const STEADY_MS = 60_000;

export interface ProverKeeperInit extends ProverProcessInit {
  /** The child became ready, or is not any more. */
  readonly onChange?: (ready: boolean) => void;
}

/** Keeps one prover child running: started again with growing pauses when it fails, at once when we ended it. */
export class ProverKeeper {
  /** Settled once the first start has succeeded or failed. */
  readonly firstStart: Promise<void>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #process: ProverProcess;
  readonly #onChange: (ready: boolean) => void;
  readonly #closing = new AbortController();
  readonly #ready: Gate;
  readonly #kept: Promise<void>;
  #restarting = false;
  #lastFailure: string | undefined;
  #tried: () => void = () => {};

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: ProverKeeperInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#ready = new Gate(components);
    this.#process = new ProverProcess(components, init);
    this.#onChange = init.onChange ?? (() => {});
    this.firstStart = new Promise((resolve) => {
      this.#tried = resolve;
    });
    this.#kept = this.#keep();
  }

  get isReady(): boolean {
    return this.#process.isReady;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** @throws CodedError `prover-unavailable` after `limitMs`, with the reason of the last failed start. */
  async untilReady(limitMs: number): Promise<void> {
    if (await this.#ready.wait(limitMs)) return;
    const why = this.#lastFailure ?? `not within ${limitMs} ms`;
    throw new CodedError('prover-unavailable', `the prover is not ready: ${why}`);
  }

  /** See ProverProcess.request. */
  request<T>(task: object, options: RequestOptions = {}): Promise<T> {
    return this.#process.request<T>(task, options);
  }

  /** Kills the child; requests in flight reject. A new one is started at once. */
  async restart(): Promise<void> {
    if (!this.#ready.isOpen) return;
    this.#restarting = true;
    await this.#process.kill();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#process.kill();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
      const lived = await this.#runOnce();
      if (signal.aborted || this.#restarting) {
        this.#restarting = false;
        continue;
      }
      if (lived >= STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      this.#logger.warn({ reason: this.#lastFailure, pauseMs }, 'prover: not running, starting it again after a pause');
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  /** One child from start to end; returns how long it was ready, in milliseconds. */
  async #runOnce(): Promise<number> {
    try {
      await this.#process.start();
    } catch (error) {
      this.#lastFailure = errorText(error);
      this.#tried();
      return 0;
    }
    const since = this.#clock.monotonic();
    this.#lastFailure = undefined;
    this.#logger.info({ proverPid: this.#process.pid }, 'prover: ready');
    this.#ready.open();
    this.#onChange(true);
    this.#tried();
    const reason = await this.#process.untilEnded();
    this.#lastFailure = errorText(reason);
    this.#ready.shut();
    this.#onChange(false);
    return this.#clock.monotonic() - since;
  }
}
