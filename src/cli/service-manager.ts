import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Clock } from '../clock/clock.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';

const run = promisify(execFile);

const CALL_LIMIT_MS = 10_000;
/** Of the time after which systemd takes the program for dead. */
const BEATS_IN_TIME = 3;

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The systemd that started us as a unit of Type=notify, or nobody. Node has no datagram sockets of AF_UNIX, so its own
 * `systemd-notify` speaks for us, which wants NotifyAccess=all. It waits until systemd has read what it says (since systemd 246): a
 * sender that is gone by then cannot be told to belong to the unit.
 */
export class ServiceManager {
  readonly #socket: string | undefined;
  /** 0: no watchdog. */
  readonly #watchdogMs: number;

  /** Takes what is meant for this process out of the environment: a child that inherited it would speak for the unit. */
  constructor(env: NodeJS.ProcessEnv) {
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = env;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
    this.#socket = NOTIFY_SOCKET;
    const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    this.#watchdogMs = isForUs ? Number(WATCHDOG_USEC ?? 0) / 1_000 : 0;
  }

  /** The program is at work. From now on the watchdog hears that its event loop turns, until the signal. */
  ready(components: Components, signal: AbortSignal): void {
    if (this.#socket === undefined) return;
    const tell = (...words: readonly string[]) => this.#tell(components, this.#socket, words);
    signal.addEventListener('abort', () => void tell('STOPPING=1'), { once: true });
    void tell('--ready').then(() => this.#feedWatchdog(components, signal, () => tell('WATCHDOG=1')));
  }

  async #feedWatchdog({ clock }: Components, signal: AbortSignal, feed: () => Promise<void>): Promise<void> {
    if (this.#watchdogMs === 0) return;
    while (!signal.aborted) {
      await feed();
      await clock.sleep(this.#watchdogMs / BEATS_IN_TIME, signal).catch(() => {});
    }
  }

  async #tell({ logger }: Components, socket: string | undefined, words: readonly string[]): Promise<void> {
    try {
      await run('systemd-notify', words, {
        env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket },
        timeout: CALL_LIMIT_MS,
      });
    } catch (error) {
      logger.warn({ words, error: errorText(error) }, 'systemd does not hear this program');
    }
  }
}
