import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../../clock/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';

const RESTART_PAUSE_MS = 2_000;

export interface MasterChildInit {
  readonly bin: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A master that lives and ends with the manager; started again when it ends by itself. */
export class MasterChild {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #init: MasterChildInit;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: MasterChildInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#init = init;
    this.#ended = this.#keep();
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // setpriv: a manager that is killed must not leave a master behind that holds the port.
      const args = ['--pdeathsig', 'TERM', this.#init.bin, ...this.#init.args];
      const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'inherit'], env: this.#init.env });
      const end = () => child.kill('SIGTERM');
      signal.addEventListener('abort', end, { once: true });
      const why = await endOf(child);
      signal.removeEventListener('abort', end);
      if (signal.aborted) return;
      this.#logger.error({ bin: this.#init.bin, why }, 'master ended, starting it again');
      await this.#clock.sleep(RESTART_PAUSE_MS, signal).catch(() => {});
    }
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'exit');
    return signal ?? `exit ${code}`;
  } catch (error) {
    return String(error);
  }
}
