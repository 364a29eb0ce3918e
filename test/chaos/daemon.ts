import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';

/** A program that is killed, stopped and started again. It ends with the process that made it, whatever happens to that. */
export class Daemon {
  readonly name: string;
  readonly #init: { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv; readonly log: string };
  #child: ChildProcess | undefined;

  constructor(name: string, init: { args: readonly string[]; env: NodeJS.ProcessEnv; log: string }) {
    this.name = name;
    this.#init = init;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    if (this.isRunning) return;
    const { args, env, log } = this.#init;
    const file = openSync(log, 'a');
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], {
      env,
      stdio: ['pipe', 'ignore', file],
    });
    this.#child.stdin?.on('error', () => {});
  }

  /** Nothing happens to one that does not run. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(signal);
  }

  say(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  /** Resolves when it is gone. A stopped process is gone with SIGKILL only. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.isRunning || this.#child === undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }
}
