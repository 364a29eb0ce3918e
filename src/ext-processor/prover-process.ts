import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../clock/clock.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { lineSplitter } from './line-splitter.ts';
import type { ProverProgress } from './messages.ts';
import { RequestsInFlight } from './requests-in-flight.ts';

export interface ProverProcessInit {
  readonly bin: string;
  readonly args: readonly string[];
  /** Names the ready line: `<stage> processor ready`. */
  readonly stage: string;
  /** The whole environment of the child. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Parameters are checked before the ready line. */
  readonly readyTimeoutMs: number;
}

export interface RequestOptions {
  /** Ends the wait only: the protocol has no cancel message, so whoever wants the work to end kills the child. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProverProgress) => void;
}

/** The pipes of an ended child may be held open by a grandchild stuck in a read, so their end is not waited for longer. */
const LAST_WORDS_MS = 500;
/** A child in an uninterruptible read outlives SIGKILL; after this it is left to the kernel. */
const ABANDON_MS = 5_000;
const QUOTED_CHARACTERS = 200;

/** The parent's role of the ext-processor line protocol: one child, requests in flight by id, answers in any order. */
export class ProverProcess {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #init: ProverProcessInit;
  readonly #requests: RequestsInFlight;
  #child: ChildProcessWithoutNullStreams | undefined;
  #ready = false;
  #lastWords = '';
  #ended: Promise<void> = Promise.resolve();

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: ProverProcessInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#init = init;
    this.#requests = new RequestsInFlight(components);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Settles when the present child has ended or was abandoned; at once where there is none. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /**
   * Resolves with the ready line.
   * @throws CodedError `prover-not-started` (no such program), `prover-not-ready` (wrong line, or none in time), `prover-exited`
   */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new CodedError('prover-running', `${this.#init.bin} runs already`);
    const { bin, args, env = process.env } = this.#init;
    this.#ready = false;
    this.#lastWords = '';
    // A process group of its own: a kill reaches the readers too, and a terminal's Ctrl-C does not reach past us.
    const child = spawn(bin, args, { env, stdio: 'pipe', detached: true });
    this.#child = child;
    const ready = this.#untilReady(child);
    this.#ended = this.#follow(child);
    try {
      await ready;
      this.#ready = true;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /**
   * Resolves with the answer's `output`.
   * @throws CodedError `prover-failed` (the child's err_msg), `prover-exited`, or the signal's reason
   */
  async request<T>(task: unknown, options: RequestOptions = {}): Promise<T> {
    options.signal?.throwIfAborted();
    const child = this.#child;
    if (child === undefined || !this.#ready) throw new CodedError('prover-exited', `${this.#init.bin} is not running`);
    const { id, answer } = this.#requests.add(options);
    child.stdin.write(`${JSON.stringify({ id, task })}\n`);
    return (await answer) as T;
  }

  /** SIGKILL. Requests in flight reject at once; resolves when the child is gone (or was abandoned). */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    killGroup(child);
    this.#ready = false;
    this.#requests.rejectAll(new CodedError('prover-exited', `${this.#init.bin} was stopped`));
    await Promise.race([this.#ended, this.#clock.sleep(ABANDON_MS)]);
    this.#forget(child);
  }

  #untilReady(child: ChildProcessWithoutNullStreams): Promise<void> {
    const { bin, stage, readyTimeoutMs } = this.#init;
    return new Promise((resolve, reject) => {
      const callOff = this.#clock.after(readyTimeoutMs, () => {
        reject(new CodedError('prover-not-ready', `${bin} was not ready within ${readyTimeoutMs} ms`));
      });
      const onLine = (line: string): void => {
        if (this.#ready) return this.#requests.receive(line);
        if (line.trim() === `${stage} processor ready`) {
          this.#ready = true;
          resolve();
        } else {
          const said = line.slice(0, QUOTED_CHARACTERS);
          reject(new CodedError('prover-not-ready', `${bin} said ${JSON.stringify(said)} in place of "${stage} processor ready"`));
        }
      };
      child.stdout.on('data', this.#guarded(child, lineSplitter(onLine)));
      child.once('error', (cause) => {
        reject(new CodedError('prover-not-started', `${bin} cannot be started: ${errorText(cause)}`));
      });
      child.once('exit', async (code, signal) => {
        await this.#untilQuiet(child.stderr);
        const said = this.#lastWords === '' ? '' : `: ${this.#lastWords}`;
        reject(new CodedError('prover-exited', `${bin} ended with ${signal ?? `code ${code}`}${said}`));
      });
      reject = finallyOnce(reject, callOff);
      resolve = finallyOnce(resolve, callOff);
    });
  }
}
